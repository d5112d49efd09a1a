"""The grid: store, plan, attempts, runners and recipes."""
