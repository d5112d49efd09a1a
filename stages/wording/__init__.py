"""The judge of words: language, safety, and options that give themselves away."""
