"""The load lab: how fast the hub is, beside floors written by hand, on the same machine in the same minutes."""
