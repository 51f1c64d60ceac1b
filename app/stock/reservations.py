"""What order lines claim: opened when the order is placed, following its edits, closed once when it ships or is let go.

A channel has sold them already, so they are claimed whether they are there or not (`force`); what lacks is a case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from app.stock import authority, claims, departed, dirty, ledger, picking, shelves
from app.stock.claims import Piece, Wanted
from connectors.canonical.order import Line, Order
from connectors.canonical.shipment import Shipment, ShipmentLine


def key(subject: int, line: str) -> str:
    return f"{subject}:{line}"


INSTEAD = "~"  # how the key of a piece ends that goes out in place of what was sold


def claim(subject: int) -> str:
    """The claim under which all lines of an order stand in the ledger."""
    return f"order:{subject}"


def reserve(tx: Connection, subject: int, order: Order) -> None:
    """A claim for each line that will be shipped; asking again changes nothing. Marks the SKUs to be told."""
    claims.turn(tx, claim(subject))
    _open(tx, subject, order)


def take_over(tx: Connection, subject: int, order: Order, held: str) -> bool:
    """What a partner holds as `held` is let go and claimed by the order's lines in the same instant: nobody comes between. False for what is
    closed already, unless this order has taken it over before."""
    claims.turn(tx, held)
    claims.turn(tx, claim(subject))
    pieces = [piece for piece in claims.of(tx, held) if piece.state == "open"]
    if not pieces:
        return bool(claims.of(tx, claim(subject)))
    shelves.lock(tx, {piece.place for piece in pieces}, {line.sku for line in order.lines if line.ours_to_ship})
    ledger.release(tx, held)
    _open(tx, subject, order)
    return True


def adjust(tx: Connection, subject: int, order: Order) -> None:
    """After an edit: open claims follow the lines' quantities, new lines get claims, and so do pieces that are added to a line of which nothing is
    claimed any more. A change of prices alone writes nothing."""
    claims.turn(tx, claim(subject))
    _open(tx, subject, order, _added(tx, subject, order))
    pieces, sold = _of(tx, subject), _sold(tx, subject, order)
    differ = {piece.key: wanted for piece in pieces if (wanted := _follows(piece, pieces, sold)) is not None}
    shelves.lock(tx, {piece.place for piece in pieces if piece.key in differ})
    changed = [piece for piece in _of(tx, subject) if piece.key in differ]
    for piece in changed:
        ledger.resize(tx, piece, differ[piece.key])
    dirty.mark(tx, {piece.sku for piece in changed})


def _sold(tx: Connection, subject: int, order: Order) -> dict[str, Decimal]:
    """Line id -> what is wanted of the very article, less what goes out in its place. What left and was paid back is off the line, and was sold."""
    sold = departed.sold(order)
    for piece in _of(tx, subject):
        if piece.key.endswith(INSTEAD) and piece.line_id in sold:
            sold[piece.line_id] = max(Decimal(0), sold[piece.line_id] - piece.quantity)
    return sold


def _follows(piece: Piece, pieces: Sequence[Piece], sold: dict[str, Decimal]) -> Decimal | None:
    """The quantity that an open piece should have by now, others of its line and article having left; None when it has it."""
    if piece.state != "open" or piece.line_id not in sold or piece.key.endswith(INSTEAD):
        return None
    same = (one for one in pieces if (one.line_id, one.sku) == (piece.line_id, piece.sku) and one.state != "open")
    gone = sum((one.shipped for one in same if not one.key.endswith(INSTEAD)), Decimal(0))
    wanted = max(sold[piece.line_id] * piece.per - gone, piece.shipped)
    return None if wanted == piece.quantity else wanted


def _added(tx: Connection, subject: int, order: Order) -> list[Wanted]:
    """What is wanted of lines of which nothing is claimed any more (all has left, or was taken off), beyond what has left."""
    pieces, sold = _of(tx, subject), _sold(tx, subject, order)
    found = []
    for line in order.lines:
        mine = [piece for piece in pieces if piece.line_id == line.id]
        if mine and line.ours_to_ship and all(piece.state != "open" for piece in mine):
            more = sold[line.id] - min(_left_of(mine).values(), default=Decimal(0))  # of a bundle, what its parts lack
            found += [Wanted(line.sku, more, line.id)] if more > 0 else []
    return found


def _left_of(mine: Sequence[Piece]) -> dict[str, Decimal]:
    """SKU -> how many of the line its pieces that have left stand for, less what went out in its place."""
    gone: dict[str, Decimal] = {}
    for piece in (one for one in mine if not one.key.endswith(INSTEAD)):
        gone[piece.sku] = gone.get(piece.sku, Decimal(0)) + piece.shipped / piece.per
    return gone


def substitute(
    tx: Connection, subject: int, line: str, sku: str, instead: str, quantity: Decimal, location: str
) -> None:
    """So many pieces of a line are claimed as another article at a location, and let go as the one that was sold. Once for each pair of articles."""
    claims.turn(tx, claim(subject))
    key_of = f"{key(subject, line)}:{instead}{INSTEAD}"
    mine = [piece for piece in _of(tx, subject) if piece.line_id == line and piece.state == "open"]
    old = next((piece for piece in mine if piece.sku == sku), None)
    if any(piece.key == key_of for piece in mine):
        return
    places = {(instead, location), *({old.place} if old is not None else ())}
    shelves.make(tx, places)
    shelves.lock(tx, places)
    if old is not None:
        ledger.resize(tx, old, old.quantity - quantity)
    pick = picking.Pick(line, instead, location, quantity)
    kept = {"claim": claim(subject), "subject": subject, "holder": "", "seconds": None, "content": ""}
    ledger.write(tx, [pick], kept, force=True, name=lambda _: key_of)
    dirty.mark(tx, {sku, instead})


def restore(tx: Connection, subject: int, line: str, sku: str) -> None:
    """What was to go out in place of a line's article does not: the article that was sold is claimed again. Nothing where nothing was substituted."""
    claims.turn(tx, claim(subject))
    mine = [piece for piece in _of(tx, subject) if piece.line_id == line]
    gone = [piece for piece in mine if piece.key.endswith(INSTEAD) and piece.state == "open"]
    if not gone:
        return
    shelves.lock(tx, {piece.place for piece in gone}, {sku})
    left = sum((piece.left for piece in gone), Decimal(0))
    for piece in gone:
        ledger.resize(tx, piece, piece.shipped)
    picks, _ = picking.pick(tx, [Wanted(sku, left, line)], ledger.ANY, force=True)
    kept = {"claim": claim(subject), "subject": subject, "holder": "", "seconds": None, "content": ""}
    ledger.write(tx, picks, kept, force=True, name=lambda pick: f"{key(subject, line)}:{pick.sku}+{len(mine)}")
    dirty.mark(tx, {piece.sku for piece in gone})


def release(tx: Connection, subject: int) -> None:
    """What is still claimed by an order is let go."""
    ledger.release(tx, claim(subject))


def ship(tx: Connection, subject: int, shipment: Shipment) -> None:
    """What left is no longer claimed: never more than the line holds, once for each shipment."""
    claims.turn(tx, claim(subject))
    pieces = [piece for piece in _of(tx, subject) if piece.state == "open"]
    left = dict(_left(pieces, shipment))
    if left:
        # Who owns the stock says by its own clock when it left; anybody else's time is not held against the owner's words.
        at = shipment.shipped_at if shipment.origin in authority.sources() else None
        ledger.commit(tx, claim(subject), f"{shipment.origin}:{shipment.id}", left, at=at)


def _left(pieces: Sequence[Piece], shipment: Shipment) -> Iterable[tuple[str, Decimal]]:
    """Piece -> how many of it are in the parcel. A line without its id is told by its SKU."""
    gone: dict[str, Decimal] = {}
    for line in shipment.lines:
        mine = _meant(pieces, line)
        named = mine[0].line_id if mine else ""
        same = [p for p in mine if p.line_id == named]
        very = [
            p for p in same if p.sku == line.sku and not p.bundle
        ]  # a line of which something else goes out has several articles
        for piece in very or same:
            gone[piece.key] = gone.get(piece.key, Decimal(0)) + Decimal(line.quantity) * piece.per
    return gone.items()


def _meant(pieces: Sequence[Piece], line: ShipmentLine) -> list[Piece]:
    """What a parcel's line is of: by its id, else what was sold as that SKU, before any bundle that has it as a part."""
    if line.line_id:
        return [p for p in pieces if p.line_id == line.line_id]
    return [p for p in pieces if (p.bundle or p.sku) == line.sku] or [p for p in pieces if p.sku == line.sku]


def _of(tx: Connection, subject: int) -> list[Piece]:
    return sorted(claims.of(tx, claim(subject)), key=lambda piece: piece.key)


def _open(tx: Connection, subject: int, order: Order, added: Sequence[Wanted] = ()) -> None:
    """Claims for the lines that have none yet, and for what was `added` to others."""
    known = claims.of(tx, claim(subject))
    lines = {piece.line_id for piece in known}
    wanted = {line.id: line for line in order.lines if line.ours_to_ship and line.current_quantity > 0}
    new = [*added, *(_wanted(line) for name, line in wanted.items() if name not in lines)]
    if not new:
        return
    picks, _ = picking.pick(tx, new, ledger.ANY, force=True)
    kept = {"claim": claim(subject), "subject": subject, "holder": "", "seconds": None, "content": ""}
    again = {one.line for one in added}

    def name(pick: picking.Pick) -> str:
        return _name(subject, pick) + (f"+{len(known)}" if pick.line in again else "")

    ledger.write(tx, picks, kept, force=True, name=name)


def _name(subject: int, pick: picking.Pick) -> str:
    return key(subject, pick.line) + (f":{pick.sku}" if pick.bundle else "")


def _wanted(line: Line) -> Wanted:
    return Wanted(line.sku, line.current_quantity, line.id)
