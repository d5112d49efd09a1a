"""From transitions to clips."""
