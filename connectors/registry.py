"""The register of systems: which there are, and the one door through which each is loaded when first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from connectors.canonical.snapshot import Reading
from connectors.kit.account import Account, Connection
from connectors.kit.capabilities import Message
from connectors.kit.card import Card, card
from connectors.kit.manifest import Manifest, read_manifest
from connectors.kit.receiver import Receiver

HERE = Path(__file__).parent


@cache
def manifests() -> dict[str, Manifest]:
    """Every connector's manifest by name; loads no connector's code."""
    return {path.parent.name: read_manifest(path) for path in sorted(HERE.glob("*/manifest.toml"))}


@cache
def cards() -> dict[str, Card]:
    """Every connector's card by name; loads no connector's code."""
    return {name: card(told, (HERE / name / "README.md").read_text()) for name, told in manifests().items()}


def connect(connection: Connection) -> Any:
    """The connector of an account, ready to act: an object that plays the capabilities its manifest offers."""
    return import_module(f"connectors.{connection.account.connector}.connector").connect(connection)


@cache
def receiver(connector: str) -> Receiver | None:
    """What proves and identifies this system's deliveries; None where it sends none."""
    if not (HERE / connector / "webhook.py").exists():
        return None
    found: Receiver = import_module(f"connectors.{connector}.webhook").RECEIVER
    return found


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """What a delivery says, in canonical words. Pure. Raises Unreadable naming the field."""
    said: tuple[Reading, ...] = import_module(f"connectors.{account.connector}.mapping").read(account, message)
    return said
