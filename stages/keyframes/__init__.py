"""Which frame samples stand for a clip."""
