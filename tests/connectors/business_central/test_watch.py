"""Subscriptions that run out by themselves are renewed by the watch; where that does not do, there is an alarm."""

from __future__ import annotations

import os
from pathlib import Path

from tests.connectors.business_central.contract import CREDENTIALS
from tests.connectors.business_central.inbox import STATE, hub
from tests.joined import join
from tests.world import world as hub_world

ACCOUNT = """
[books]
connector = "business_central"
base_url = "{address}"
credentials = {{ client_id = "BOOKS_ID", client_secret = "BOOKS_SECRET", client_state = "BOOKS_STATE" }}
webhook_secrets = ["BOOKS_STATE"]
settings = {{ tenant = "{tenant}", company = "{company}" }}
"""


def test_the_watch_renews_and_raises_an_alarm_where_it_cannot(world, tmp_path: Path, database_url: str, redis_url: str):
    company = world()
    settings = company.bench.account.settings
    with hub_world(tmp_path, database_url, redis_url) as made, hub() as (address, _):
        text = ACCOUNT.format(address=company.system.address, tenant=settings["tenant"], company=settings["company"])
        os.environ.update(
            BOOKS_ID=CREDENTIALS["client_id"], BOOKS_SECRET=CREDENTIALS["client_secret"], BOOKS_STATE=STATE
        )
        from tasks.feeds import watch

        join(made, ("books",), text)
        os.environ["PUBLIC_URL"] = "http://127.0.0.1:9"
        watch.run()
        off = "SELECT status FROM cases WHERE code = 'subscription_off' AND account = 'books'"
        assert made.one(off) == "open"
        os.environ["PUBLIC_URL"] = address.removesuffix("/hooks/books")
        watch.run()
        assert made.one(off) == "resolved"
        os.environ.pop("PUBLIC_URL")
    assert company.connector.subscriptions() == {"items": True}
