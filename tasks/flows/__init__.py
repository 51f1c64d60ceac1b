"""Flows: what follows from a difference, one file each, a table of steps at its foot."""
