"""Stock: what its owner says, what orders have reserved, what channels are told."""
