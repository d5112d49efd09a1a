"""Blind answering: how often questions are put, and when enough is known."""
