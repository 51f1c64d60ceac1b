"""Acme, an invented vendor that plays every capability and every protocol shape: what engineers copy."""
