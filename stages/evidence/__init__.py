"""Claims of labels, held against what was measured."""
