"""The one decode pass: small pictures, and a figure for everything that a frame shows."""
