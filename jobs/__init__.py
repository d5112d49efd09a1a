"""What a person or a scheduler starts: the command line and the jobs behind it."""
