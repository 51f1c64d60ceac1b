"""What a proof may find, in words; who is asked to look, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Kind(NamedTuple):
    """`part` is whose word disagrees; `role` finds the owner; `{account}` is filled in."""

    part: str
    role: str
    sentence: str
    remedy: str


ENGINEER = "An engineer looks at once: this must not happen. Ask the source for the order again (poll or fetch), and keep the log's file."
KINDS: dict[str, Kind] = {
    "lost": Kind(
        "log", "engineer", "Deliveries of {account} were acknowledged, but the journal does not have them.", ENGINEER
    ),
    "altered": Kind(
        "log", "engineer", "Deliveries of {account} are kept with another body than was acknowledged.", ENGINEER
    ),
    "stuck": Kind(
        "journal",
        "engineer",
        "Deliveries of {account} are under way, although nothing of them is left to do.",
        ENGINEER,
    ),
    "missing_here": Kind(
        "source",
        "channel",
        "{account} lists orders that never arrived here, neither by webhook nor by asking.",
        "See whether {account} is polled (Accounts, last success); the next poll brings what it lists.",
    ),
    "stale_here": Kind(
        "source",
        "channel",
        "{account} changed orders, and nothing has been heard of them since.",
        "See whether {account} is polled and its subscriptions are alive.",
    ),
    "missing_at_source": Kind(
        "source",
        "channel",
        "{account} does not have orders that were received from it.",
        "Ask at the channel whether they were deleted; if so, cancel what was booked of them.",
    ),
    "missing_at_erp": Kind(
        "erp",
        "erp",
        "Orders that the journal booked are not in the list of {account}.",
        "Look for them in {account}; if they were deleted there, repeat the booking from the order's page.",
    ),
    "doubled_at_erp": Kind(
        "erp",
        "erp",
        "{account} has orders twice.",
        "Cancel the record in {account} that is not the one that the order's page names.",
    ),
    "differs_at_erp": Kind(
        "erp",
        "erp",
        "{account} has orders with another total than was booked.",
        "See who changed them in {account}; correct them there, or the order at its channel.",
    ),
    "stray_at_erp": Kind(
        "erp",
        "erp",
        "{account} has orders of our channels that the journal did not book.",
        "See who made them in {account}: a person, or a booking whose answer was given up on.",
    ),
    "shipment_missing_at_erp": Kind(
        "shipments",
        "erp",
        "Shipments that the journal booked are not in the list of {account}.",
        "Look for them in {account}; if they were deleted there, have them booked again as the hour's proof proposes.",
    ),
    "shipment_doubled_at_erp": Kind(
        "shipments",
        "erp",
        "{account} has shipments twice.",
        "Reverse the record in {account} that is not the one that the order's page names.",
    ),
    "shipment_stray_at_erp": Kind(
        "shipments",
        "erp",
        "{account} has shipments of our orders that the hub knows nothing of.",
        "See who booked them in {account}. If the goods have left, let the warehouse or the store tell it; else reverse them there.",
    ),
}

# In this order they are told; what is not counted in an hour is 0.
FIGURES = {
    "acknowledged": "Acknowledged",
    "repeats": "again",
    "received": "Received",
    "unlogged": "not in the log",
    "accepted": "waiting",
    "running": "under way",
    "parked": "of these parked",
    "dead": "of these stopped",
    "applied": "Applied",
    "echo": "Echo",
    "superseded": "Superseded",
    "ignored": "Ignored",
    "quarantined": "Unusable",
    "listed_at_source": "At the source",
    "placed": "Placed",
    "booked": "Booked",
    "listed_at_erp": "At the ERP",
    "delivered": "Shipments booked",
    "delivered_at_erp": "at the ERP",
    **{kind: kind.replace("_", " ") for kind in KINDS},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What disagrees: the journal's word and the outsider's (`account`), about a delivery, an order or a record."""

    kind: str
    account: str
    about: str
    ours: str
    theirs: str
    subject: int | None = None


@dataclass
class HourProof:
    """What was proved of one channel's hour. `inputs` is the SHA-256 of everything that was compared.

    `unproved` says which part could not be asked and why; `passing`: those that may be asked again. `parts` were asked.
    """

    channel: str
    hour: datetime
    figures: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    passing: bool = False
    parts: set[str] = field(default_factory=set)
    inputs: str = ""
    ended: bool = False

    @property
    def final(self) -> bool:
        """Nothing more can come of proving it again."""
        return self.ended and not self.differences and not self.passing

    def count(self, figure: str, n: int = 1) -> None:
        self.figures[figure] = self.figures.get(figure, 0) + n

    def differ(self, difference: Difference) -> None:
        self.differences.append(difference)
        self.count(difference.kind)
