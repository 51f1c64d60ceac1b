"""ShipBob's documents in canonical words, and canonical orders in ShipBob's."""

from connectors.shipbob.mapping.reading import read

__all__ = ["read"]
