"""Where one shot gives way to the next: the series of a slice, and a rule for each kind of transition."""
