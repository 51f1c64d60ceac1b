"""What an article of another system is called here: our SKU by the cross reference, else its own name, unless that is another's."""

from __future__ import annotations

from connectors.kit.account import Codes
from connectors.kit.errors import Missing


def sku_of(codes: Codes, code: str, name: str) -> str:
    """Our SKU of what the account calls `code` in orders and `name` to people. Without a cross reference its name is the SKU; empty where
    that name is the SKU of another article there."""
    try:
        return codes.ours("sku", code)
    except Missing:
        return name if code_of(codes, name) in (code, name) else ""


def code_of(codes: Codes, sku: str) -> str:
    """What the account calls our SKU; the SKU itself where nobody has mapped it."""
    try:
        return codes.theirs("sku", sku)
    except Missing:
        return sku
