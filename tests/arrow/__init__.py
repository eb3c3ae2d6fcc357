"""Results in Arrow columns."""
