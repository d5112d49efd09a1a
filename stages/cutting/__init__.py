"""Cutting clips out of their sources."""
