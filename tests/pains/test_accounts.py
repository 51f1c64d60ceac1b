"""Accounts: secrets in rotation, subscriptions switched off, one token refresh for all, a refused login (pains 4, 6, 40a)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from tests.hub import hub, signed
from tests.world import SECRET, World

NEW = "whsec_bmV3LXNlY3JldC1hZnRlci10aGUtcm90YXRpb24="
OLD = "whsec_b2xkLXNlY3JldC10aGF0LWhhcy1leHBpcmVkISE="


def test_two_secrets_hold_during_a_rotation(acme: World, tmp_path: Path, figure: Callable[..., None]) -> None:
    """Pain 6: old and new are valid at once, the expired one is not; the journal says which matched."""
    over = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    accounts = acme.folder / "accounts.toml"
    accounts.write_text(
        accounts.read_text().replace('["TESTS_HOOKS"]', f'["TESTS_HOOKS", "TESTS_NEW", "TESTS_OLD until {over}"]')
    )
    answers = {}
    with hub(tmp_path / "hub", TESTS_NEW=NEW, TESTS_OLD=OLD) as made:
        made.web()
        for name, secret in (
            ("before", SECRET),
            ("after", NEW),
            ("expired", OLD),
            ("forged", "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQ="),
        ):
            body, headers = signed("order.placed", acme.place(), f"msg-{name}", secret)
            answers[name] = requests.post(
                f"{made.address}/hooks/shop", data=body, headers=headers, timeout=10
            ).status_code
    assert answers == {"before": 200, "after": 200, "expired": 401, "forged": 401}
    assert {row.proof for row in acme.rows("SELECT proof FROM events")} == {"TESTS_HOOKS", "TESTS_NEW"}
    figure("6", valid_refused=0, forged_accepted=0)


def test_a_subscription_that_is_off_raises_an_alarm_and_is_mended(
    acme: World, tmp_path: Path, figure: Callable[..., None]
) -> None:
    """Pain 4: the alarm comes from beat's job, not from the receiver that hears nothing; mending registers again."""
    from tasks.feeds import watch

    watch.run()
    assert acme.one("SELECT status FROM cases WHERE code = 'subscription_off' AND account = 'shop'") == "open"
    with hub(tmp_path / "hub") as made:
        made.web()
        os.environ["PUBLIC_URL"] = made.address
        assert watch.mend("shop")
        os.environ.pop("PUBLIC_URL")
    watch.run()
    assert acme.one("SELECT status FROM cases WHERE code = 'subscription_off' AND account = 'shop'") == "resolved"
    acme.ask("shop", "PUT", "/_sim/hooks", json={"alive": False})
    watch.run()
    assert (
        acme.one("SELECT count(*) FROM cases WHERE code = 'subscription_off' AND account = 'shop' AND status = 'open'")
        == 1
    )
    figure("4", alarms=2, mended=1)


def test_fifty_workers_refresh_one_token_once(acme: World, figure: Callable[..., None]) -> None:
    """Pain 40a: fifty meet the expiry together; the vendor sees one refresh."""
    from app.accounts.tokens import SharedTokens

    refreshed: list[int] = []

    def refresh() -> tuple[str, float]:
        refreshed.append(1)
        return f"token-{len(refreshed)}", 3600.0

    with ThreadPoolExecutor(50) as crowd:
        got = list(crowd.map(lambda _: SharedTokens("erp").get("access", refresh), range(50)))
    assert set(got) == {"token-1"}
    SharedTokens("erp").refused("access", "token-1")
    with ThreadPoolExecutor(50) as crowd:
        got = list(crowd.map(lambda _: SharedTokens("erp").get("access", refresh), range(50)))
    assert set(got) == {"token-2"}
    assert len(refreshed) == 2
    sealed = bytes(acme.one("SELECT sealed FROM tokens"))
    assert b"token-" not in sealed
    figure("40a", workers=50, refreshes=1)


def test_a_token_that_one_saw_refused_comes_back_to_nobody(acme: World) -> None:
    """Revoked before its time, while many are calling with it: whoever is told so late gets another one too, or his second
    refusal would pause the account."""
    from app.accounts.tokens import SharedTokens

    bought: list[str] = []
    accepted: list[str] = []  # by the vendor, now
    unlucky: list[str] = []

    def refresh() -> tuple[str, float]:
        bought.append(f"token-{len(bought)}")
        accepted[:] = bought[-1:]
        return bought[-1], 3600.0

    def call(number: int) -> None:
        shared = SharedTokens("erp")
        token = shared.get("access", refresh)
        time.sleep(number % 7 / 1000)  # on its way there
        if token not in accepted:
            shared.refused("access", token)
            unlucky.extend({token} & {shared.get("access", refresh)})

    with ThreadPoolExecutor(50) as crowd:
        for _ in range(4):
            list(crowd.map(call, range(100)))
            accepted.clear()
    assert not unlucky
    assert len(bought) == 4


def test_a_refused_login_pauses_the_account_and_keeps_its_steps(acme: World) -> None:
    from app.accounts import control
    from app.bell import ring
    from app.database import transaction

    acme.bad_day("erp", "refuse_auth")
    order = acme.order()
    acme.pump(until=lambda: bool(acme.one("SELECT paused FROM account_state WHERE account = 'erp'")))
    assert acme.one("SELECT owner FROM cases WHERE code = 'unauthorized' OR kind = 'account'") == "operations"
    acme.good_day("erp")
    with transaction() as tx:
        rings = control.resume(tx, "erp", "anna", "credentials renewed")
    ring(rings)
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
