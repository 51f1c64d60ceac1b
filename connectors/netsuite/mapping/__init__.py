"""What NetSuite tells is read here; what it is told is written in the modules beside this one."""

from connectors.netsuite.mapping.stock import read

__all__ = ["read"]
