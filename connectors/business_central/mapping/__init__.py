"""What Business Central tells is read here; what it is told is written in the modules beside this one."""

from connectors.business_central.mapping.items import read

__all__ = ["read"]
