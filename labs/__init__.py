"""Labs: the engine's promises as programs that anyone can run and that can fail."""
