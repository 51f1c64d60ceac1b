"""Whether the process lives, whether the hub can work and why not, and figures that fit the journal."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import Hub


def test_the_process_lives_without_asking_anything(hub: Hub) -> None:
    assert hub.app.test_client().get("/healthz").json == {"status": "ok"}


def test_readiness_names_what_is_missing(hub: Hub) -> None:
    client = hub.app.test_client()
    hub.write("DELETE FROM heartbeats")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "reasons": {"workers": "No worker has been heard yet."}}
    hub.write("INSERT INTO heartbeats (queue, seen_at) VALUES ('hub', now() - interval '1 hour')")
    assert "No worker has been heard for 36" in client.get("/readyz").text
    hub.write("UPDATE heartbeats SET seen_at = now()")
    assert client.get("/readyz").status_code == 200
    version = hub.one("SELECT version_num FROM alembic_version")
    hub.write("UPDATE alembic_version SET version_num = 'old'")
    assert "migrate the database" in client.get("/readyz").text
    hub.write("UPDATE alembic_version SET version_num = :v", v=version)


@pytest.mark.parametrize(
    ("name", "address", "called"),
    [("REDIS_URL", "redis://127.0.0.1:1/0", "Redis"), ("BROKER_URL", "amqp://guest:guest@127.0.0.1:1//", "RabbitMQ")],
)
def test_a_broker_that_is_away_is_named(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str, address: str, called: str
) -> None:
    monkeypatch.setenv(name, address)
    answer = hub.app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["reasons"]["broker"] == f"The broker ({called}) does not answer."


def test_limits_are_shown_whichever_broker_carries_the_messages(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted in Redis also where RabbitMQ is the broker."""
    from app.accounts import entries
    from app.web.broker import store
    from connectors.kit.limiter import Limiter

    person = hub.come_in("viewer")
    monkeypatch.setenv("BROKER_URL", "amqp://guest:guest@127.0.0.1:1//")
    Limiter(store(), entries.limits_of).warm("shop")
    page = person.get("/admin/accounts/shop")
    assert page.status_code == 200
    assert "<meter" in page.text


def test_a_share_is_told_beside_what_is_declared(hub: Hub) -> None:
    """Other software calls at the shop, too: the account's page and the figures show our share; where nobody else was met, all."""
    from app.accounts import entries
    from app.web import metrics
    from app.web.broker import store
    from connectors.kit.limiter import Limiter

    person, limits = hub.come_in("viewer"), Limiter(store(), entries.limits_of)
    limits.warm("store")
    for _ in range(20):
        with limits.leave("store", "orders.get", 60):
            pass
    limits.refused("store", "orders.get", seconds=0.0)
    page = person.get("/admin/accounts/store").text
    assert "90 %: 88.2 a second" in page
    assert "other software uses it too" in page
    assert "other software" not in person.get("/admin/accounts/shop").text
    metrics._kept = (0.0, b"")
    told = figures_of(hub)
    points = ("store", "points", "points")
    assert told["waybill_limit_declared", *points] == 98
    assert told["waybill_limit_effective", *points] == pytest.approx(88.2, abs=0.1)
    assert told["waybill_limit_effective", "shop", "concurrency", "at_once"] == 12
    metrics._kept = (0.0, b"")
    assert not [key for key in told if "searches" in key], "a day's quota has no pace"


def figures_of(hub: Hub) -> dict[tuple[str, ...], float]:
    told = hub.app.test_client().get("/metrics")
    assert told.content_type.startswith("text/plain")
    families = text_string_to_metric_families(told.text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_figures_fit_the_journal(hub: Hub) -> None:
    hub.deliver(b'{"type": "order.placed", "data": {}}')
    hub.deliver(b"{}", webhook_signature="v1,AAAA")
    hub.write("DELETE FROM account_state")
    hub.write("INSERT INTO account_state (account, breaker, paused) VALUES ('shop', 'open', true)")
    figures = figures_of(hub)
    assert figures["waybill_up",] == 1
    assert figures["waybill_events", "accepted"] == hub.one("SELECT count(*) FROM events WHERE state = 'accepted'")
    assert figures["waybill_refused_deliveries", "shop", "forged"] >= 1
    assert figures["waybill_breaker", "shop"] == 2
    assert figures["waybill_paused", "shop"] == 1
    assert figures["waybill_queue_depth", "intake"] >= 1
    assert figures["waybill_oldest_waiting_seconds", "shop"] == 0
