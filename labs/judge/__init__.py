"""The labs' judge: believes only outsiders, and counts by business identity."""
