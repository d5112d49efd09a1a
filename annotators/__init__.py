"""Who writes labels."""
