"""The catalogue: what each system calls our SKUs, locations, tax codes, units, carriers and methods."""
