"""Tills with a missing number: what waits behind it for too long is somebody's to find."""

from __future__ import annotations

from app.database import transaction
from app.orders import tills
from config.reader import config

PATIENCE = 1800.0  # seconds, unless settings.toml says otherwise ([tills] patience)


def run() -> str:
    """Opens a case for each till whose gap is older than the patience; posting what was missing closes it."""
    patience = int(config().settings.get("tills", {}).get("patience", PATIENCE))
    with transaction() as tx:
        late = tills.open_cases(tx, patience)
    return f"{late} tills wait for a number"
