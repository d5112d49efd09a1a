"""What labels say in words, held against the signals."""
