"""An order of a partner's channel is not cancelled from here: whoever asks is told the way instead."""

from __future__ import annotations

import pytest

from app.orders import cancelling
from app.orders.refused import Refused
from connectors.canonical.order import CancelReason
from tests.api.conftest import Market, order


def test_a_channel_that_cannot_be_told_names_the_way_instead(market: Market) -> None:
    from app.database import transaction

    waybill = market.mine.place(order("C-1"))
    market.world.pump()
    with pytest.raises(Refused) as refused, transaction() as tx:
        cancelling.ask(tx, waybill, CancelReason.CUSTOMER, "olga", "rang up")
    assert refused.value.code == "not_offered"
    assert "Ask the partner, which tells it by POST /api/v1/orders/<waybill>/cancellations." in refused.value.sentence
    assert market.world.one("SELECT count(*) FROM deadlines WHERE kind = 'cancel_sale'") == 0
