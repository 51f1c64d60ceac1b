"""What every connector stands on: calls, limits, proofs, errors, writes that can be looked up, and the manifest."""
