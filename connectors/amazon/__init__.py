"""Amazon: orders, stock and prices of a seller by the Selling Partner API."""
