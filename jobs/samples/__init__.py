"""Sample videos that come with the package, and the script that makes the reel."""
