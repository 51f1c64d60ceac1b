"""The canonical model: what an order, a shipment, a refund or a stock level is, whoever sells, ships or books it."""

SCHEMA_VERSION = 1
