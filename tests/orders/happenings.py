"""What may happen to an order next in the small hub, sensible or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.orders.refused import Refused
from tests.orders.laws import broken
from tests.orders.small_hub import SmallHub

Act = Callable[[SmallHub], None]


@dataclass(frozen=True)
class Happening:
    """What may happen next: how often at most, and where it makes sense at all. What is refused changes nothing."""

    act: Act
    most: int = 1
    when: Callable[[SmallHub], bool] = lambda hub: True


def still_here(hub: SmallHub) -> bool:
    """Who was never asked sends nothing."""
    return hub.outside.asked and hub.outside.gone < hub.pieces


def can_be_paid_back(hub: SmallHub) -> bool:
    """Pieces that no refund names yet, and money that nobody has given back."""
    given = sum(int(line.quantity) for refund in hub.outside.refunds for line in refund.lines)
    return given < hub.outside.sold and sum(hub.room(name) for name in hub.tenders) > 0


BY_WAREHOUSE: Mapping[str, Happening] = {
    "cancel": Happening(SmallHub.cancel, when=lambda hub: not hub.outside.cancelled),
    "edit down": Happening(lambda hub: hub.edit(hub.outside.wanted - 1), when=lambda hub: hub.outside.wanted > 1),
    "edit up": Happening(lambda hub: hub.edit(hub.outside.wanted + 1), when=lambda hub: not hub.outside.cancelled),
    "ship": Happening(lambda hub: hub.ship(1), 2, still_here),
    "invoice": Happening(lambda hub: hub.works("erp"), 6),
    "return": Happening(lambda hub: hub.ask_return(1), 2),
    "count": Happening(lambda hub: hub.count_return(1, "restock"), 1),
    "count apart": Happening(lambda hub: hub.count_return(1, "quarantine"), 1),
    "refund": Happening(lambda hub: hub.refund(1, restock=False), when=can_be_paid_back),
    "pay out": Happening(lambda hub: hub.works("shop"), 6),
}
BY_STORE: Mapping[str, Happening] = {
    **{name: one for name, one in BY_WAREHOUSE.items() if name not in ("ship", "count apart", "edit up")},
    "accept": Happening(lambda hub: hub.speak("accept")),
    "pick": Happening(lambda hub: hub.speak("pick")),
    "reject": Happening(lambda hub: hub.speak("reject")),
    "ship": Happening(lambda hub: hub.speak("ship")),
}


def happens(hub: SmallHub, name: str, one: Happening) -> str:
    """Lets it happen; the first law that it breaks, empty where it breaks none."""
    before = hub.decided()
    hub.outside = hub.outside.more(name)
    try:
        with hub.tx.begin_nested():
            one.act(hub)
    except Refused:
        pass
    hub.at_once()
    return next(broken(hub, before), "")
