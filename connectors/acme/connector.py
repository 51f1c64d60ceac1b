"""Acme plays every role: channel, books, warehouse, letter writer and source."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.acme.books import Books
from connectors.acme.channel import Channel
from connectors.acme.client import Client
from connectors.acme.shapes import Shape, shape
from connectors.acme.source import Source
from connectors.acme.warehouse import House, Letters, Warehouse
from connectors.kit.account import Connection


@dataclass(frozen=True)
class Acme(Channel, Books, Warehouse, House, Letters, Source):
    """One account of Acme, ready to act: each role stands in a file of its own."""

    connection: Connection
    client: Client
    shape: Shape


def connect(connection: Connection) -> Acme:
    return Acme(connection, Client(connection), shape(connection.account.settings))
