"""Which of the moves that wait in Tryton a shipment takes, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.shipment import ShipmentLine
from connectors.kit.errors import Rejected


@dataclass(frozen=True, slots=True)
class Move:
    """A stock.move of a waiting shipment: out to the customer (`line` is our line's name), or `feeds` such a one.

    In a warehouse with zones every move out has one that feeds it, from the storage to the output zone.
    """

    id: int
    shipment: int
    quantity: Decimal
    code: str
    line: str = ""
    feeds: int = 0


def told(row: Mapping[str, Any], lines: Mapping[int, str]) -> Move:
    """A row of stock.move; `lines` are our names by the id of the sale's line."""
    model, _, number = str(row["origin"]).partition(",")
    shipment = int(str(row["shipment"]).partition(",")[2])
    move = Move(int(row["id"]), shipment, Decimal(row["quantity"]), str(row["product."]["code"]))
    if model == "stock.move":
        return Move(move.id, shipment, move.quantity, move.code, feeds=int(number))
    return Move(move.id, shipment, move.quantity, move.code, line=lines.get(int(number or 0), ""))


def taking(moves: Sequence[Move], lines: Sequence[ShipmentLine], code: Callable[[str], str]) -> dict[int, Decimal]:
    """How many of each move out left, by our order line, else by product. Raises Rejected for more than is open."""
    taken: dict[int, Decimal] = {}
    for line in lines:
        rest = line.quantity
        for move in _fitting(moves, line, code):
            part = min(rest, move.quantity - taken.get(move.id, Decimal(0)))
            if part > 0:
                taken[move.id] = taken.get(move.id, Decimal(0)) + part
                rest -= part
        if rest > 0:
            sentence = f"{rest:f} more of {line.sku or line.line_id} left than Tryton has open for this order."
            raise Rejected(sentence, code="not_open", field="lines", owner="logistics")
    return taken


def _fitting(moves: Sequence[Move], line: ShipmentLine, code: Callable[[str], str]) -> list[Move]:
    """By product where the line itself is not there: the warehouse may not know our lines, or it is a bundle's part."""
    out = [move for move in moves if not move.feeds]
    named = [move for move in out if line.line_id and move.line == line.line_id]
    if named or not line.sku:
        return named
    theirs = code(line.sku)
    return [move for move in out if move.code == theirs]


def touched(moves: Sequence[Move], taken: Mapping[int, Decimal]) -> list[int]:
    """The waiting shipments that something is taken from, the oldest first: a move never changes its shipment."""
    return sorted({move.shipment for move in moves if move.id in taken})


def changes(moves: Sequence[Move], taken: Mapping[int, Decimal], shipment: int) -> list[list[Any]]:
    """What a shipment's moves become: the taken ones at the quantity that left, the others gone.

    Tryton lays out a new waiting shipment for what is gone or less, in the same request.
    """
    mine = [move for move in moves if move.shipment == shipment]
    gone = [move.id for move in mine if _root(move) not in taken]
    less = [move for move in mine if taken.get(_root(move), move.quantity) != move.quantity]
    written = [["write", [move.id], {"quantity": float(taken[_root(move)])}] for move in less]
    return [*written, *([["delete", gone]] if gone else [])]


def _root(move: Move) -> int:
    return move.feeds or move.id
