"""What beat starts: each job once for each window, however many beats there are."""
