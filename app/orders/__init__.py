"""The order: what a new snapshot changes in it."""
