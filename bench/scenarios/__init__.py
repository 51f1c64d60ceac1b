"""The longer scenarios of the load lab, each on a stage of its own."""
