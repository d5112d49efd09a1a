"""What a reader of the data set sees: card, Croissant, statistics and report."""
