"""What of an order is still to be shipped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from app.stock.departed import pieces_of, shipped_by_us, sold
from connectors.canonical.order import Order
from connectors.canonical.shipment import GONE


def to_ship(order: Order, but: Collection[str] = ()) -> dict[str, Decimal]:
    """Line id -> quantity that nobody has shipped yet, of the lines that we ship (what the channel sends itself is its own).

    What the accounts of `but` have shipped is left out of account.
    """
    gone = pieces_of(order, (one for one in order.shipments if one.status in GONE and one.origin not in but))
    wanted = sold(order)
    left = {one.id: wanted[one.id] - gone.get(one.id, Decimal(0)) for one in shipped_by_us(order)}
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def part_of(order: Order, number: str, lines: Sequence[Mapping[str, str]]) -> Order:
    """The order cut down to the pieces that one location is asked for, known there by the request's number and not by the order's id.

    Its totals are the whole order's: a location is asked for goods, never for money.
    """
    wanted = {one["line_id"]: Decimal(one["quantity"]) for one in lines}
    kept = tuple(replace(line, current_quantity=wanted[line.id]) for line in order.lines if line.id in wanted)
    return replace(order, id=f"{order.id}/{number.rpartition('-')[2]}", lines=kept, shipments=())
