"""A small oracle of stock: no shelves, no locks, no counters; every figure is worked out anew from all that was ever told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = tuple[str, str]
UNSAID = -1  # what an owner's word had left out already, at a place of which nobody has said a word
AHEAD = "~ahead"  # where what is sold before it is there is claimed
LATER = 1_000_000  # what happens on our own clock comes after every time that a source names


@dataclass
class Piece:
    place: Place
    quantity: int
    shipped: int = 0
    returned: int = 0
    open: bool = True
    covered: bool = False
    per: int = 1  # pieces of it in one of what was sold

    @property
    def left(self) -> int:
        return self.quantity - self.shipped if self.open else 0


@dataclass
class Claim:
    pieces: list[Piece]
    asked_at: int | None = None
    occasions: set[str] = field(default_factory=set)
    until: int | None = None  # the hour at which whoever has not extended it loses it


@dataclass
class Oracle:
    words: dict[Place, tuple[int, int]] = field(default_factory=dict)  # the newest: (time, quantity)
    moved: dict[str, tuple[Place, int, int, int | None]] = field(
        default_factory=dict
    )  # place, quantity, time, known at
    claims: dict[str, Claim] = field(default_factory=dict)
    shelves: set[Place] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=dict)  # what may be sold ahead of an article, while it may
    hour: int = 0

    def free(self, place: Place) -> int:
        return self.there(place) - sum(p.left for p in self._pieces(place) if not p.covered)

    def there(self, place: Place) -> int:
        """What should stand there: the owner's word, and what moved after it; ahead, the limit."""
        if place[1] == AHEAD:
            return self.limits.get(place[0], 0)
        said, quantity = self.words.get(place, (-1, 0))
        return quantity + sum(
            q for p, q, t, known in self.moved.values() if p == place and not self._counted(said, t, known)
        )

    def stands(self, piece: Piece) -> Place | None:
        """Where pieces leave from: their place, or (claimed before there was one) where most of them are; nowhere, when nobody said."""
        if piece.place[1] not in ("", AHEAD):
            return piece.place
        places = [place for place in self.shelves if place[0] == piece.place[0] and place[1] not in ("", AHEAD)]
        return max(places, key=lambda place: (self.there(place), place[1]), default=None)

    def _counted(self, said: int, when: int, known: int | None) -> bool:
        if known == UNSAID:
            return said < 0 or when <= said
        return said >= 0 and (when <= said or (known is not None and known <= said))

    def reserved(self, place: Place) -> int:
        return sum(piece.left for piece in self._pieces(place))

    def _pieces(self, place: Place) -> list[Piece]:
        return [piece for claim in self.claims.values() for piece in claim.pieces if piece.place == place]

    def tell(self, place: Place, quantity: int, when: int) -> None:
        self.shelves.add(place)
        if when < self.words.get(place, (-1, 0))[0]:
            return
        self.words[place] = (when, quantity)
        for claim in self.claims.values():
            for piece in claim.pieces:
                if piece.open and claim.asked_at is not None and self._left_out(piece, place, claim.asked_at):
                    piece.covered = True

    def _left_out(self, piece: Piece, told: Place, asked_at: int) -> bool:
        if piece.place == told:
            return asked_at <= self.words[told][0]
        if piece.place != (told[0], "") or told[1] == "":
            return False
        return all(asked_at <= said for place, (said, _) in self.words.items() if place[0] == told[0] and place[1])

    def move(self, number: str, place: Place, quantity: int, when: int) -> None:
        self.shelves.add(place)
        self.moved.setdefault(number, (place, quantity, when, None))

    def reserve(
        self, name: str, sku: str, quantity: int, location: str | None, force: bool, hours: int | None = None
    ) -> bool:
        """Whether it is granted."""
        return self.reserve_parts(name, {sku: 1}, quantity, location, force, hours)

    def reserve_parts(
        self, name: str, made_of: Mapping[str, int], quantity: int, location: str | None, force: bool, hours: int | None
    ) -> bool:
        """All parts of it or none, for so many hours or for good; `made_of`: how many of a SKU go into one."""
        if name in self.claims:
            return True
        find = self._forced if force else self._found
        found = [find(sku, quantity * per, location) for sku, per in made_of.items()]
        picks = [pick for part in found for pick in part or ()]
        if None in found:
            return False
        until = None if hours is None else self.hour + hours
        self.claims[name] = Claim([Piece(place, n, per=made_of[place[0]]) for place, n in sorted(picks)], until=until)
        return True

    def adjust(self, name: str, made_of: Mapping[str, int], quantity: int) -> None:
        """An order is edited to so many: what is open of its claim follows, never below what has left; where it has none yet it gets one."""
        if name not in self.claims:
            if quantity:
                self.reserve_parts(name, made_of, quantity, None, True, None)
            return
        pieces = self.claims[name].pieces
        if not any(piece.open for piece in pieces):
            skus = {piece.place[0] for piece in pieces}
            gone = min(sum(one.shipped for one in pieces if one.place[0] == sku) / made_of[sku] for sku in skus)
            if (more := quantity - gone) > 0:
                assert self.reserve_parts("more", made_of, int(more), None, True, None)
                pieces += self.claims.pop("more").pieces
        for piece in (one for one in pieces if one.open):
            left = sum(one.shipped for one in pieces if one.place[0] == piece.place[0] and not one.open)
            wanted = max(quantity * piece.per - left, piece.shipped)
            piece.covered = piece.covered and wanted <= piece.quantity
            piece.quantity, piece.open = wanted, wanted > piece.shipped

    def take_over(self, held: str, name: str, made_of: Mapping[str, int], quantity: int) -> bool:
        """What is held becomes an order's; False where it is not to be had any more and the order has not had it."""
        claim = self.claims.get(held)
        if claim is None or not any(piece.open for piece in claim.pieces):
            return name in self.claims
        self.release(held)
        return self.reserve_parts(name, made_of, quantity, None, True, None)

    def sell_ahead(self, sku: str, most: int) -> None:
        """Up to so many may be sold before they are there; what is claimed elsewhere counts."""
        self.shelves.add((sku, AHEAD))
        elsewhere = sum(self.reserved(place) for place in self.shelves if place[0] == sku and place[1] != AHEAD)
        self.limits[sku] = max(0, most - elsewhere)

    def day_has_come(self, sku: str) -> None:
        """What was sold ahead is owed where it lies, as what an order claims by itself."""
        if self.limits.pop(sku, None) is None:
            return
        home = self._home(sku)
        self.shelves |= {(sku, ""), (sku, home)}
        for piece in self._pieces((sku, AHEAD)):
            if piece.open:
                piece.place = (sku, home)

    def extend(self, name: str) -> bool:
        """Whether it is still to be had; from then on it is held for an hour."""
        claim = self.claims.get(name)
        if claim is None or self.over(claim) or not any(piece.open for piece in claim.pieces):
            return False
        claim.until = self.hour + 1
        return True

    def over(self, claim: Claim) -> bool:
        return claim.until is not None and claim.until <= self.hour

    def expire(self) -> None:
        for name, claim in self.claims.items():
            if self.over(claim):
                self.release(name)

    def _home(self, sku: str) -> str:
        """The only place of which its owner has said a word; none where there are several."""
        homes = [place[1] for place in self.words if place[0] == sku]
        return homes[0] if len(homes) == 1 else ""

    def _forced(self, sku: str, quantity: int, location: str | None) -> list[tuple[Place, int]]:
        where = AHEAD if sku in self.limits else location if location is not None else self._home(sku)
        self.shelves |= {(sku, where), (sku, location or "")}
        return [((sku, where), quantity)]

    def _found(self, sku: str, quantity: int, location: str | None) -> list[tuple[Place, int]] | None:
        places = [place for place in self.shelves if place[0] == sku]
        if sku in self.limits:
            places, location = [(sku, AHEAD)], None
        owed = self.free((sku, "")) < 0 or (sku, AHEAD) in self.shelves
        counted = places if location is None or owed else [(sku, location)]
        allowed = sum(self.free(place) for place in counted)
        mine = [place for place in places if self.free(place) > 0 and location in (None, place[1])]
        if min(allowed, sum(self.free(place) for place in mine)) < quantity:
            return None
        picks, left = [], quantity
        for place in sorted(mine, key=lambda place: (self.free(place) < quantity, -self.free(place), place)):
            now = min(left, self.free(place))
            left -= now
            picks += [(place, now)] if now else []
        return picks

    def commit(self, name: str, occasion: str, most: int | None, when: int) -> None:
        claim = self.claims.get(name)
        for n, piece in enumerate(claim.pieces if claim else ()):
            quantity = piece.left if most is None else min(most, piece.left) if n == 0 else 0
            number = f"{name}:{n}:{occasion}"
            if quantity <= 0 or number in self.moved:
                continue
            place = self.stands(piece)
            known = self.words[place][0] if place in self.words else UNSAID
            gone = (
                (piece.place, 0, when, None)
                if place is None
                else (place, -quantity, when, known if piece.covered else None)
            )
            self.moved[number] = gone
            piece.shipped += quantity
            piece.open = piece.shipped < piece.quantity

    def release(self, name: str) -> None:
        for piece in self.claims[name].pieces if name in self.claims else ():
            piece.open = False

    def credit(self, name: str, occasion: str, quantity: int, restock: bool) -> None:
        claim = self.claims.get(name)
        if claim is None or occasion in claim.occasions:
            return
        claim.occasions.add(occasion)
        due = {piece.place[0]: quantity * piece.per for piece in claim.pieces}
        for n, piece in enumerate(claim.pieces):
            back = min(due[piece.place[0]], piece.shipped - piece.returned)
            piece.returned += back
            due[piece.place[0]] -= back
            place = self.stands(piece)
            if restock and back and place is not None:
                self.moved[f"{name}:{n}:credit:{occasion}"] = (place, back, LATER, None)
        for piece in claim.pieces:
            rest = min(due[piece.place[0]], piece.left)
            due[piece.place[0]] -= rest
            if rest:
                piece.quantity -= rest
                piece.open = piece.quantity > piece.shipped
