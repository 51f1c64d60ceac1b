"""A marketplace without a connector, a store, a supplier and a price file: an order's life where more than one house sends, takes back or answers."""
