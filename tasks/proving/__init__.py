"""Proving: the journal is held against what outsiders say, hour by hour."""
