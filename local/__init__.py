"""What a checkout needs to run by itself: its own servers, ports, processes and checks."""
