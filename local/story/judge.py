"""The judge: believes only what outsiders hold, by business identity, and lets the journal excuse only what visibly stands there."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from local.story.facts import Asked, Inside, Outside, Parcel, Sold

CHANNEL = "shopify-main"
WAREHOUSE = "shipbob-main"
LOST, DOUBLED, WRONG = "lost", "doubled", "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the outsiders' own books say it must be."""

    kind: str
    system: str
    what: str
    sentence: str


@dataclass(frozen=True)
class Case:
    """One order before the judge: what the shop sold, and what the warehouse was asked."""

    sold: Sold
    asked: tuple[Asked, ...]
    outside: Outside
    inside: Inside

    @property
    def key(self) -> str:
        """The order's name at the ERP."""
        return f"{self.outside.channel}-{self.sold.id}"

    def excused(self, flow: str) -> bool:
        """Whether the journal visibly holds what would have led there: the order itself, its booking, or this flow."""
        standing = self.inside.trouble.get(self.sold.id, frozenset())
        return any(state == "quarantined" or where in ("order_placed", flow) for where, _, state in standing)

    def counted(self, system: str, what: str, count: int, flow: str, wanted: int = 1) -> Iterator[Finding]:
        """Exactly `wanted`; fewer only where the journal says why."""
        words = f"{what} of {self.sold.name} ({self.sold.kind}): {count} instead of {wanted}"
        if count > wanted:
            yield Finding(DOUBLED, system, self.sold.name, words)
        if count < wanted and not self.excused(flow):
            yield Finding(LOST, system, self.sold.name, words)


def findings(outside: Outside, inside: Inside) -> list[Finding]:
    """Everything that is lost, doubled or wrong; empty when all is accounted for."""
    by_name: dict[str, list[Asked]] = {}
    for one in outside.asked:
        by_name.setdefault(one.name, []).append(one)
    cases = [Case(sold, tuple(by_name.get(sold.name, ())), outside, inside) for sold in outside.sold]
    found = [finding for case in cases for rule in RULES for finding in rule(case)]
    return [*found, *_strangers(outside), *_acknowledged(outside, inside), *_shelf(outside, inside)]


# ---- the rules for one order


def _booked(case: Case) -> Iterator[Finding]:
    """One sales order, of the right sum; a cancelled one is cancelled there, or was never booked."""
    count = case.outside.books.orders.get(case.key, 0)
    if not case.sold.cancelled or count > 1:
        yield from case.counted("erp", "sales order", count, "order_changed")
    left = any(one.parcels for one in case.asked)  # what has left is never undone
    undone = case.key in case.outside.books.cancelled or case.excused("order_placed")
    if case.sold.cancelled and count and not undone and not left:
        yield Finding(LOST, "erp", case.sold.name, f"{case.sold.name} was cancelled in the shop, not in the ERP")
    booked = case.outside.books.totals.get(case.key)
    if (
        booked is not None
        and booked != case.sold.worth
        and not case.sold.cancelled
        and not case.excused("order_changed")
    ):
        yield Finding(
            WRONG,
            "erp",
            case.sold.name,
            f"{case.sold.name} ({case.sold.kind}) is booked as {booked}, sold for {case.sold.worth}",
        )


def _acknowledged_in_shop(case: Case) -> Iterator[Finding]:
    """The shop knows the ERP's number of what is booked, where it takes one."""
    if case.outside.books.orders.get(case.key) and not case.sold.cancelled and case.sold.takes_number:
        yield from case.counted("shop", "ERP number", 1 if case.sold.number else 0, "order_placed")


def _requested(case: Case) -> Iterator[Finding]:
    """What is to be shipped is asked of the warehouse, each piece once (by one living order, or by one for each part); nothing of what is cancelled
    or carried home."""
    living = [one for one in case.asked if not one.cancelled]
    if case.sold.cancelled:
        open_ones = [one for one in living if not one.parcels]
        yield from case.counted("warehouse", "living order for a cancelled one", len(open_ones), "order_placed", 0)
        return
    if not living or not all(one.pieces for one in living):
        yield from case.counted("warehouse", "order", len(living), "order_changed", 1 if case.sold.wanted else 0)
        return
    pieces: Counter[str] = Counter()
    for one in living:
        pieces.update(one.pieces)
    for sku in sorted({*pieces, *case.sold.wanted} if not _too_late(case) else ()):
        yield from case.counted(
            "warehouse", f"{sku} asked for", pieces[sku], "order_changed", case.sold.wanted.get(sku, 0)
        )


def _addressed(case: Case) -> Iterator[Finding]:
    """What is asked of the warehouse after a change of address goes to the new one."""
    for one in case.asked:
        old = case.sold.street and not one.cancelled and one.street != case.sold.street
        if old and not case.sold.cancelled and not _too_late(case) and not case.excused("order_changed"):
            words = (
                f"{case.sold.name} ({case.sold.kind}) is sent to {one.street}, and goes to {case.sold.street} by now"
            )
            yield Finding(WRONG, "warehouse", case.sold.name, words)


def _shipped(case: Case) -> Iterator[Finding]:
    """Each parcel is booked once in the ERP, told once to the shop and once to the customer; no piece leaves twice."""
    parcels = [parcel for one in case.asked for parcel in one.parcels]
    for parcel in parcels:
        booked = sum(case.outside.books.fulfilments.get((key, parcel.id), 0) for key in (case.key, ""))
        yield from case.counted("erp", f"fulfilment {parcel.id}", booked, "order_shipped")
        yield from _confirmed(case, parcel.numbers, dict(parcel.pieces))
        if case.sold.email:
            mails = case.outside.mails.get(f"{case.outside.channel}/{case.sold.id}/{parcel.id}/shipped", 0)
            yield from case.counted("mail", f"mail about {parcel.id}", mails, "order_shipped")
    for sku, pieces in _pieces(parcels).items():
        if pieces > case.sold.wanted.get(sku, 0) and not case.sold.cancelled and not _too_late(case):
            yield Finding(
                DOUBLED,
                "warehouse",
                case.sold.name,
                f"{pieces} {sku} left for {case.sold.name}, wanted {case.sold.wanted.get(sku, 0)}",
            )
    if not parcels:
        yield from case.counted("erp", "fulfilment", _elsewhere(case), "order_shipped", len(case.sold.sent))


def _too_late(case: Case) -> bool:
    """What an edit took off had left already: the warehouse said so, or the books or the shop of one request's pieces, and that stands
    before a person."""
    standing = case.inside.trouble.get(case.sold.id, frozenset())
    asked = Counter(sku for one in case.asked if not one.cancelled for sku in one.pieces)
    once = all(many == 1 for many in asked.values())  # nobody was asked for them twice
    return any(
        told in standing for told in (("order_changed", "warehouse", "dead"), ("order_sourced", "location", "dead"))
    ) or (
        once
        and any(told in standing for told in (("order_changed", "erp", "dead"), ("order_shipped", "channel", "dead")))
    )


def _elsewhere(case: Case) -> int:
    """How often the books hold what left without our warehouse. Who names no order there names the channel that told of it."""
    held = case.outside.books.fulfilments
    own = sum(count for (key, _), count in held.items() if key == case.key)
    return own + sum(
        held.get(("", name), 0) for one in case.sold.sent for name in (one.id, f"{case.outside.channel}-{one.id}")
    )


def _confirmed(case: Case, numbers: frozenset[str], pieces: dict[str, int]) -> Iterator[Finding]:
    told = [one for one in case.sold.sent if one.numbers & numbers]
    if not told:
        yield from case.counted("shop", f"fulfilment {', '.join(numbers)}", 0, "order_shipped")
    elif _pieces(told) != pieces and not case.excused("order_shipped"):
        kind = DOUBLED if sum(_pieces(told).values()) > sum(pieces.values()) else LOST
        yield Finding(kind, "shop", case.sold.name, f"{case.sold.name}: {_pieces(told)} confirmed, {pieces} left")


def _refunded(case: Case) -> Iterator[Finding]:
    """Each refund is credited once, and each tender gives back exactly what the shop gave back through it."""
    if case.sold.cancelled and not case.outside.books.orders.get(case.key):
        return  # never booked, so there is nothing to credit
    for refund, tenders in case.sold.refunds.items():
        back = case.outside.books.refunds.get((case.key, refund), {})
        for tender, amount in tenders.items():
            yield from _tender(case, refund, tender, amount, back.get(tender, Decimal(0)))


def _tender(case: Case, refund: str, tender: str, given: Decimal, booked: Decimal) -> Iterator[Finding]:
    words = f"refund {refund} of {case.sold.name} by {tender}: {booked} booked, {given} given back"
    if booked > given:
        yield Finding(DOUBLED, "erp", case.sold.name, words)
    if booked < given and not case.excused("order_refunded"):
        yield Finding(LOST, "erp", case.sold.name, words)


def _told_refund(case: Case) -> Iterator[Finding]:
    """The customer hears once of each refund."""
    mails = case.outside.mails.get(f"{case.outside.channel}/{case.sold.id}//refunded", 0)
    if mails > len(case.sold.refunds):
        yield from case.counted("mail", "mail about refunds", mails, "order_refunded", len(case.sold.refunds))


RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _booked,
    _acknowledged_in_shop,
    _requested,
    _addressed,
    _shipped,
    _refunded,
    _told_refund,
)

# ---- what concerns no single order


def _strangers(outside: Outside) -> Iterator[Finding]:
    """Nobody holds anything that the shop never sold."""
    names, keys = {one.name for one in outside.sold}, {f"{outside.channel}-{one.id}" for one in outside.sold}
    for key in outside.books.orders.keys() - keys:
        yield Finding(WRONG, "erp", key, f"the ERP holds {key}, which the shop never sold")
    for asked in outside.asked:
        if asked.name not in names:
            yield Finding(
                WRONG, "warehouse", asked.name, f"the warehouse holds {asked.name}, which the shop never sold"
            )


def _acknowledged(outside: Outside, inside: Inside) -> Iterator[Finding]:
    """What a sender was told is taken is in the journal; a forgery never is."""
    for one in outside.deliveries:
        known = (one.account, one.id) in inside.deliveries
        if one.taken and not known:
            yield Finding(
                LOST,
                "hub",
                one.id,
                f"{one.account} was told that delivery {one.id} is taken; the journal does not know it",
            )
        if one.forged and (known or one.taken):
            yield Finding(WRONG, "hub", one.id, f"the forgery {one.id} was taken")


def _shelf(outside: Outside, inside: Inside) -> Iterator[Finding]:
    """In the end the shop offers what the warehouse has."""
    for sku, offered in outside.offered.items():
        there = outside.shelf.get(sku)
        if there is not None and there != offered:
            yield Finding(WRONG, "shop", sku, f"the shop offers {offered} {sku}, the warehouse has {there}")


def _pieces(parcels: Iterable[Parcel]) -> dict[str, int]:
    found: dict[str, int] = {}
    for parcel in parcels:
        for sku, pieces in parcel.pieces.items():
            found[sku] = found.get(sku, 0) + pieces
    return found
