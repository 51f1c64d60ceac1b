"""What must never be true of an order, in words, whatever happened to it and in whatever order (pains 16, 36, 38)."""

from __future__ import annotations

from collections.abc import Iterator

from app.orders import money
from app.orders.repaying import promised
from app.orders.shipping import to_ship
from app.orders.standing import tallies
from tests.orders.small_hub import LIES, ZERO, SmallHub


def broken(hub: SmallHub, decided: int) -> Iterator[str]:
    """`decided` is how many refunds the hub had decided before. What is still under way is judged once it is over, or somebody has to look at it."""
    if hub.decided() > decided:
        yield from _given(hub)
    yield from _shelf(hub)
    if hub.rests and not hub.cases():
        yield from _at_rest(hub)


def _given(hub: SmallHub) -> Iterator[str]:
    order, moves = hub.order, money.of(hub.tx, hub.subject().id)
    back = promised(order, moves)
    for one in tallies(order):
        if one.refunded + back.get(one.tender, ZERO) > one.captured:
            yield f"refunds above what was captured: {one.tender} took {one.captured}, {one.refunded} and {back} go back"


def _shelf(hub: SmallHub) -> Iterator[str]:
    shelf, left = hub.shelf(), hub.left()
    if shelf.reserved != hub.claimed():
        yield f"{shelf.reserved} are reserved, and the claims sum to {hub.claimed()}"
    if hub.outside.back > hub.outside.gone:
        yield f"shipped and restocked: {hub.outside.back} came back, and {hub.outside.gone} ever left"
    if shelf.told != LIES - left + hub.outside.restocked:
        yield f"shipped and restocked: {shelf.told} lie there, {left} have left and {hub.outside.restocked} came back"


def _at_rest(hub: SmallHub) -> Iterator[str]:
    out, shelf = hub.outside, hub.shelf()
    wanted = sum(to_ship(hub.order).values(), ZERO) if not out.cancelled else ZERO
    if shelf.reserved != wanted:
        yield f"{shelf.reserved} are claimed, and {wanted} are still to leave"
    if hub.left() != out.gone:
        yield f"{out.gone} have left, and the shelf knows of {hub.left()}"
    if out.billed - out.credited > out.gone - out.back:
        yield f"invoiced and cancelled (or returned) without credit: {out.billed} billed, {out.credited} credited, {out.gone - out.back} kept"
    kept = sum(hub.tenders.values()) - sum(dict(out.given).values()) - out.withheld
    if money.refunds("shop") and out.cancelled and not out.gone and kept > 0:
        yield f"cancelled, and {kept} of its money is kept"
