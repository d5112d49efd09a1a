"""The text-only probe: what can be guessed from questions and options alone."""
