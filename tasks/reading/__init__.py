"""What a snapshot changes, by its kind: order, child of an order, stock, product, pointer."""
