"""Policy as data and its reader; imports nothing of ours."""
