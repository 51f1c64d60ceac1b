"""Measures that are no money: a duration or a place may be a float, and its name says that it is one."""

Seconds = float  # a duration
Days = float  # a duration
Degrees = float  # of latitude or longitude
