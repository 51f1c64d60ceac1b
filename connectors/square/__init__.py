"""Square: tills, and a shop, of one seller."""
