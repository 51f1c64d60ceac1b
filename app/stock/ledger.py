"""The reservation ledger: reserve, extend, commit, release, return and expire claims, each once under its key.

Whoever changes a claim takes its turn first, then locks the shelves in (SKU, location) order, then touches the claim's rows.
The caller opens the transaction; pieces are Decimals in the SKU's own unit, times aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import claims, dirty, movements, picking, shelves
from app.stock.claims import Piece, Wanted
from app.stock.movements import Movement
from app.stock.picking import Lacking, Pick
from app.stock.rules import Rule
from app.stock.shelves import Place, Shelf
from app.units import Seconds

ANY = Rule()
NOWHERE = ("", shelves.AHEAD)  # claimed before any place was known
NOW = text("SELECT clock_timestamp()")  # not the transaction's: it may have waited for a shelf
MOVE = text("UPDATE reservations SET location = :location, covered = false, changed_at = now() WHERE key = :key")
# One row for each occasion of a credit, whether or not anything of it comes back to a shelf.
CREDITED = text("""
INSERT INTO movements (source, number, kind, sku, location, quantity, at, claim) VALUES ('hub', :number, 'credit', '', '', 0, now(), :claim)
ON CONFLICT DO NOTHING RETURNING 1
""")
Locked = Mapping[Place, Shelf]


class KeyReused(Exception):
    """This key was used for something else before."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim's pieces; `repeated` when it was there already (they may have been closed since)."""

    pieces: Sequence[Piece]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was claimed; what was lacking."""

    lacking: Sequence[Lacking]


def reserve(
    tx: Connection,
    claim: str,
    lines: Iterable[Wanted],
    *,
    holder: str = "",
    subject: int | None = None,
    seconds: Seconds | None = None,
    rule: Rule = ANY,
    force: bool = False,
) -> Granted | Refused:
    """Claims all lines or none, for good or for `seconds`; asking again under the same key answers the same claim.

    `force` is for what a channel has sold already: it is claimed even where it is not there, and what lacks stands in the
    shelf's `short`. Raises KeyReused.
    """
    asked = tuple(lines)
    claims.turn(tx, claim)
    known = claims.of(tx, claim)
    if known:
        return _again(known, claims.content(asked))
    picks, lacking = picking.pick(tx, asked, rule, force)
    if lacking:
        return Refused(lacking)
    kept = {"claim": claim, "subject": subject, "holder": holder, "seconds": seconds, "content": claims.content(asked)}
    write(tx, picks, kept, force)
    return Granted(claims.of(tx, claim))


def _again(known: Sequence[Piece], content: str) -> Granted:
    if known[0].content != content:
        raise KeyReused("This key was used for other lines before.")
    return Granted(known, repeated=True)


def write(
    tx: Connection,
    picks: Sequence[Pick],
    kept: Mapping[str, object],
    force: bool = False,
    name: Callable[[Pick], str] | None = None,
) -> None:
    """Opens a claim's rows on locked shelves, in their order, and marks what is to be told."""
    for number, pick in enumerate(sorted(picks, key=lambda pick: pick.place)):
        if force:
            shelves.shift(tx, pick.place, reserved=pick.quantity)
        else:
            shelves.grant(tx, pick.place, pick.quantity)
        key = name(pick) if name else f"{kept['claim']}#{number}"
        tx.execute(claims.OPEN, {"key": key, **_row(pick), **kept})
    dirty.mark(tx, {pick.sku for pick in picks})


def _row(pick: Pick) -> dict[str, object]:
    return {
        "line": pick.line,
        "sku": pick.sku,
        "location": pick.location,
        "quantity": pick.quantity,
        "per": pick.per,
        "bundle": pick.bundle,
    }


def extend(tx: Connection, claim: str, seconds: Seconds) -> datetime | None:
    """Holds an open claim for `seconds` from now; None when it is closed or its time has run out."""
    claims.turn(tx, claim)
    found: datetime | None = tx.execute(claims.EXTEND, {"claim": claim, "seconds": seconds}).scalars().first()
    return found


def release(tx: Connection, claim: str, state: str = "released") -> Sequence[Piece]:
    """Lets go of what is still claimed; what has left stays so. Answers the pieces that were let go, none the second time."""
    return _change(tx, claim, lambda open_, _: [_close(tx, piece, state) for piece in open_])


def _close(tx: Connection, piece: Piece, state: str) -> Piece:
    gone = piece.left
    tx.execute(claims.CLOSE, {"key": piece.key, "state": "committed" if piece.shipped else state})
    shelves.shift(tx, piece.place, reserved=-gone, covered=-gone if piece.covered else Decimal(0))
    return piece


def resize(tx: Connection, piece: Piece, quantity: Decimal) -> bool:
    """An open piece claims more or less from now on, never less than has left; its shelf is locked by the caller."""
    wanted = max(quantity, piece.shipped)
    if piece.state != "open" or wanted == piece.quantity:
        return False
    more = wanted - piece.quantity
    covered = piece.covered and more <= 0
    uncovers = -piece.left if piece.covered and not covered else more if covered else Decimal(0)
    tx.execute(claims.RESIZE, {"key": piece.key, "quantity": wanted})
    shelves.shift(tx, piece.place, reserved=more, covered=uncovers)
    return True


def commit(
    tx: Connection,
    claim: str,
    number: str,
    pieces: Mapping[str, Decimal] | None = None,
    *,
    at: datetime | None = None,
    kind: str = "pick",
) -> Sequence[Piece]:
    """What was claimed has left: all of it, or so many of each piece (by key), never more than is claimed.

    `number` names the occasion (a shipment, a sale): told again it changes nothing. `at` is when it left, by the clock of
    whoever owns the stock; without it, now. Answers the pieces that left.
    """
    return _change(tx, claim, lambda open_, known: _left(tx, open_, known, number, pieces, at, kind))


def _left(
    tx: Connection,
    open_: Sequence[Piece],
    known: Locked,
    number: str,
    wanted: Mapping[str, Decimal] | None,
    at: datetime | None,
    kind: str,
) -> list[Piece]:
    gone: list[Piece] = []
    for piece in open_:
        quantity = piece.left if wanted is None else min(wanted.get(piece.key, Decimal(0)), piece.left)
        if quantity > 0 and _gone(tx, piece, _stands(known, piece), quantity, number, at, kind):
            gone.append(replace(piece, quantity=quantity))
    return gone


def _stands(known: Locked, piece: Piece) -> Shelf | None:
    """Where the pieces of a claim stand: at its place, or (claimed before any was known) where an owner has most of them."""
    if piece.location not in NOWHERE:
        return known[piece.place]
    owned = [shelf for shelf in known.values() if shelf.sku == piece.sku and shelf.location not in NOWHERE]
    return max(owned, key=lambda shelf: (shelf.told, shelf.location), default=None)


def _gone(
    tx: Connection, piece: Piece, shelf: Shelf | None, quantity: Decimal, number: str, at: datetime | None, kind: str
) -> bool:
    """Pieces of a claim leave their shelf, if anybody said which; False when this occasion was told before."""
    left_at = at or tx.execute(NOW).scalar_one()
    known_at = shelf.as_of if shelf and piece.covered else None
    name, place = f"{piece.key}:{number}", shelf.place if shelf else piece.place
    told = Movement("hub", name, kind, *place, -quantity, left_at, known_at=known_at, claim=piece.claim)
    try:
        when = movements.keep(tx, told)
    except (
        movements.Contradicted
    ):  # the occasion is known with other pieces: what has left has left, drift finds what is amiss
        when = None
    if when is None:
        return False
    covered = -quantity if piece.covered else Decimal(0)
    shelves.shift(tx, piece.place, reserved=-quantity, covered=covered)
    if shelf and not piece.covered and not movements.included(told, when, shelf):
        shelves.shift(tx, shelf.place, told=-quantity)
    tx.execute(claims.SHIP, {"key": piece.key, "quantity": quantity})
    return True


def credit(tx: Connection, claim: str, number: str, line: str, sold: Decimal, *, restock: bool) -> None:
    """So many of a line are credited: what has left comes back first (onto the shelf only when `restock`), the rest is let go.

    `number` names the credit: told again it changes nothing.
    """
    claims.turn(tx, claim)
    known = _locked(tx, [piece for piece in claims.of(tx, claim) if piece.line_id == line])
    mine = [piece for piece in claims.of(tx, claim) if piece.line_id == line]
    if not mine or tx.execute(CREDITED, {"claim": claim, "number": f"{claim}:{line}:credit:{number}"}).scalar() is None:
        return
    due = {piece.sku: sold * piece.per for piece in mine}
    for piece in mine:
        back = min(due[piece.sku], piece.shipped - piece.returned)
        _back(tx, piece, _stands(known, piece), back if restock else Decimal(0), number)
        tx.execute(claims.RETURN, {"key": piece.key, "quantity": back})
        due[piece.sku] -= back
    for piece in mine:
        rest = min(due[piece.sku], piece.left)
        resize(tx, piece, piece.quantity - rest)
        due[piece.sku] -= rest
    dirty.mark(tx, {piece.sku for piece in mine})


def _back(tx: Connection, piece: Piece, shelf: Shelf | None, quantity: Decimal, number: str) -> None:
    """Pieces come back onto the shelf they left, now; where nobody has placed the article, its owner will say."""
    if quantity <= 0 or shelf is None:
        return
    name, now = f"{piece.key}:credit:{number}", tx.execute(NOW).scalar_one()
    movements.keep(tx, Movement("hub", name, "return", *shelf.place, quantity, now, claim=piece.claim))
    shelves.shift(tx, shelf.place, told=quantity)


def place(tx: Connection, claim: str, key: str, location: str) -> bool:
    """An open piece is claimed at another location from now on (a sourcing decision); False when it is closed.

    Raises IntegrityError (never_oversold) where that location does not have it.
    """
    claims.turn(tx, claim)
    piece = next((piece for piece in claims.of(tx, claim) if piece.key == key and piece.state == "open"), None)
    if piece is None or piece.location == location:
        return piece is not None
    places = {piece.place, (piece.sku, location)}
    shelves.make(tx, places)
    shelves.lock(tx, places)
    shelves.shift(tx, piece.place, reserved=-piece.left, covered=-piece.left if piece.covered else Decimal(0))
    shelves.grant(tx, (piece.sku, location), piece.left)
    tx.execute(MOVE, {"key": key, "location": location})
    dirty.mark(tx, {piece.sku})
    return True


def expire(tx: Connection, claim: str) -> Sequence[Piece]:
    """Lets go of what its holder has not extended in time."""
    return _change(tx, claim, lambda open_, _: [_close(tx, piece, "expired") for piece in open_ if _over(tx, piece)])


def _over(tx: Connection, piece: Piece) -> bool:
    now: datetime = tx.execute(NOW).scalar_one()
    return piece.expires_at is not None and piece.expires_at < now


def _locked(tx: Connection, pieces: Sequence[Piece]) -> Locked:
    """The shelves of these pieces; of an article that was claimed before it had a place, all."""
    whole = {piece.sku for piece in pieces if piece.location in NOWHERE}
    return {shelf.place: shelf for shelf in shelves.lock(tx, {piece.place for piece in pieces}, whole)}


def _change(
    tx: Connection, claim: str, change: Callable[[Sequence[Piece], Locked], Sequence[Piece]]
) -> Sequence[Piece]:
    """Takes the claim's turn, locks its shelves in order, and changes what is open of it."""
    claims.turn(tx, claim)
    open_ = [piece for piece in claims.of(tx, claim) if piece.state == "open"]
    if not open_:
        return ()
    known = _locked(tx, open_)
    # Read once more: an owner's word may have covered it while we waited for the shelf.
    changed = change([piece for piece in claims.of(tx, claim) if piece.state == "open"], known)
    dirty.mark(tx, {piece.sku for piece in changed})
    return changed
