"""Comparing texts: vectors of words, letters or a model, and questions that repeat each other."""
