"""What single pictures show: vectors, colours and text of frame samples."""
