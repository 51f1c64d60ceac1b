"""What each outsider holds about the shop's orders, in words that all of them share."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Tenders = Mapping[str, Decimal]


@dataclass(frozen=True)
class Parcel:
    """Something that left for the customer: `numbers` are its trackings, `pieces` SKU -> how many."""

    id: str
    numbers: frozenset[str]
    pieces: Mapping[str, int]


@dataclass(frozen=True)
class Sold:
    """An order as the shop's own books hold it. `worth` is what the ERP must book: as it stands now, refunds not taken off.

    `wanted`: SKU -> pieces that were to be shipped; `sent` the shop's fulfilments; `refunds` id -> tender -> amount.
    """

    id: str
    name: str
    kind: str
    worth: Decimal
    currency: str
    cancelled: bool
    wanted: Mapping[str, int]
    email: str
    refunds: Mapping[str, Tenders]
    sent: tuple[Parcel, ...]
    number: str  # the ERP's, as the hub told the channel; empty when it did not
    changed: bool = False  # edited there after it was placed
    called_off: bool = False  # cancelled there by the hub's word
    by_hub: frozenset[str] = frozenset()  # refunds that bear the hub's own mark
    takes_number: bool = True  # whether the channel can be told one at all
    street: str = ""  # where it goes by now, of one whose address was changed there


def whole(order: Sold) -> bool:
    """Whether all that was wanted of it has left."""
    sent: Counter[str] = Counter()
    for parcel in order.sent:
        sent.update(parcel.pieces)
    return all(sent[sku] >= pieces for sku, pieces in order.wanted.items())


@dataclass(frozen=True)
class Books:
    """The ERP, by the names that it was given: order, (order, shipment id), (order, refund id)."""

    orders: Mapping[str, int]
    totals: Mapping[str, Decimal]
    cancelled: frozenset[str]
    fulfilments: Mapping[tuple[str, str], int]
    refunds: Mapping[tuple[str, str], Tenders]


def together(held: Iterable[Books]) -> Books:
    """What several ERPs hold, as of one: an order that stands in two of them was booked twice."""
    orders, fulfilments = Counter[str](), Counter[tuple[str, str]]()
    totals: dict[str, Decimal] = {}
    refunds: dict[tuple[str, str], Tenders] = {}
    cancelled: frozenset[str] = frozenset()
    for one in held:
        orders.update(one.orders)
        fulfilments.update(one.fulfilments)
        totals.update(one.totals)
        cancelled |= one.cancelled
        for key, given in one.refunds.items():
            before = refunds.get(key, {})
            refunds[key] = {
                name: before.get(name, Decimal(0)) + given.get(name, Decimal(0)) for name in {*before, *given}
            }
    return Books(orders, totals, cancelled, fulfilments, refunds)


@dataclass(frozen=True)
class Asked:
    """An order at the warehouse, under the shop's order name: `pieces` are asked for, `parcels` have left."""

    reference: str
    name: str
    cancelled: bool
    parcels: tuple[Parcel, ...]
    pieces: Mapping[str, int] = field(default_factory=dict)
    street: str = ""


@dataclass(frozen=True)
class Delivery:
    """A webhook as its sender logged it. `taken`: it was answered 2xx; `fresh`: and not as a duplicate."""

    account: str
    id: str
    taken: bool
    fresh: bool
    forged: bool
    waiting: bool


@dataclass(frozen=True)
class Outside:
    """All that the outsiders say."""

    sold: tuple[Sold, ...]
    books: Books
    asked: tuple[Asked, ...]
    mails: Mapping[str, int]  # channel/order/shipment/occasion -> how many
    deliveries: tuple[Delivery, ...]
    shelf: Mapping[str, int] = field(default_factory=dict)  # SKU -> pieces, as the warehouse counts
    offered: Mapping[str, int] = field(default_factory=dict)  # SKU -> pieces, as the shop shows
    priced: int = 0  # articles that the channel asks the told price for
    channel: str = "shopify-main"  # the account that sold; what the ERP calls an order begins with it


@dataclass(frozen=True)
class Inside:
    """What the journal says: the state of each accepted event, and where something visibly stands.

    `trouble`: order id -> {(flow, role, state)} of what is parked or dead; ("", "", "quarantined") for an event that was set aside.
    """

    states: Counter[str]
    duplicates: int
    rejected: int
    trouble: Mapping[str, frozenset[tuple[str, str, str]]]
    deliveries: frozenset[tuple[str, str]]
    busy: int  # steps that still move, stock that is still to be told
