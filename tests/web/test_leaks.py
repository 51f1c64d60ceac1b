"""Secrets and personal data are searched for where they must not be: logs, every table of the journal, metrics, traces, Sentry."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from tests.web.conftest import ENVIRONMENT, PASSWORDS, Hub
from tests.world import SECRET

# Nobody real; each word would be found anywhere.
NAMES = {"first_name": "Zeldaquux", "last_name": "Quuxington"}
WHO = {"id": "c-77", "email": "zelda.quux@example.com", "phone": "+49 221 5550177", **NAMES}
HOME = {"line1": "Quuxweg 77", "line2": "", "city": "Quuxhausen", "postcode": "50677", "country": "DE", **NAMES}
PERSONAL = ("zelda.quux", "Zeldaquux", "Quuxington", "5550177", "Quuxweg", "Quuxhausen")
SECRETS = (
    SECRET,
    SECRET.removeprefix("whsec_"),
    *ENVIRONMENT["TESTS_SECRET"].split(),
    "acme_at_",
    *PASSWORDS.values(),
    ENVIRONMENT["SECRET_KEY"],
)
# Where personal data may stand: all of it masked by role and erased with its subject.
MAY = {
    "payloads": ("body",),
    "documents": ("body",),
    "subjects": ("customer", "email", "phone"),
    "runs": ("child", "detail"),
}


@pytest.fixture(scope="module")
def told(busy: Hub) -> Iterator[str]:
    """What a hub writes to its log on a day with a customer of its own: booked, shipped, refused, unreadable, forged."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    played = busy.world
    assert played is not None
    played.code("erp", "sku", "WB-MUG", "WB-MUG")
    placed = played.order(customer=WHO, shipping_address=HOME, billing_address=HOME, note="for Zeldaquux")
    played.order(customer={**WHO, "email": "blocked@example.com"}, shipping_address=HOME)
    played.deliver("order.placed", {**placed, "id": "7700", "lines": "Quuxweg 77"}, name="msg-unreadable")
    played.bad_day("erp", "broken", times=1, writes_only=True)
    played.bad_day("erp", "refuse_auth", times=1)
    played.pump(120)
    support = busy.come_in("support")
    for row in busy.rows("SELECT waybill FROM subjects WHERE kind = 'order'"):
        support.get(f"/admin/orders/{row.waybill}")
    support.get("/admin/orders/?q=zelda.quux@example.com")
    busy.deliver(b'{"email": "zelda.quux@example.com"}', webhook_signature="v1,bm90aGluZw==")
    yield lines.getvalue()
    logging.getLogger().removeHandler(handler)


def test_the_day_was_played(busy: Hub, told: str) -> None:
    """Else nothing could be found."""
    assert busy.one("SELECT count(*) FROM documents WHERE body::text LIKE '%Zeldaquux%'") >= 1
    assert (
        busy.one(
            "SELECT count(*) FROM payloads WHERE owner = 'attempt' AND position('Quuxweg' IN encode(body, 'escape')) > 0"
        )
        >= 1
    )
    assert "received" in told
    assert "step" in told


def test_logs_name_nobody_and_no_secret(told: str) -> None:
    found = [word for word in (*PERSONAL, *SECRETS) if word in told]
    assert not found, [line for line in told.splitlines() if any(word in line for word in found)][:3]


def tables(hub: Hub) -> dict[str, list[str]]:
    """Every table with its columns, partitions by their parent."""
    rows = hub.rows(
        "SELECT c.table_name, array_agg(c.column_name::text) AS columns "
        "FROM information_schema.columns c JOIN pg_class k ON k.relname = c.table_name "
        "WHERE c.table_schema = 'public' AND NOT k.relispartition AND k.relkind IN ('r', 'p') GROUP BY c.table_name"
    )
    return {row.table_name: list(row.columns) for row in rows}


BYTES = {("payloads", "body"), ("tokens", "sealed")}  # searched as they are


def holding(hub: Hub, words: tuple[str, ...], may: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """(table, word) wherever a column that may not holds one of the words."""
    found = []
    for table, columns in tables(hub).items():
        kept = [name for name in columns if name not in may.get(table, ())]
        shown = ", ".join(f"encode(\"{n}\", 'escape')" if (table, n) in BYTES else f'"{n}"::text' for n in kept)
        held = f'SELECT 1 FROM "{table}" WHERE position(w IN concat_ws(chr(10), {shown})) > 0'
        asked = f"SELECT w FROM unnest(CAST(:words AS text[])) w WHERE EXISTS ({held})"
        found += [(table, row.w) for row in hub.rows(asked, words=list(words))]
    return found


def test_no_table_holds_a_secret(busy: Hub, told: str) -> None:
    """Neither heads, bodies of exchanges, sentences nor the audit; users' passwords are hashes, tokens are sealed."""
    assert len(tables(busy)) > 25
    assert not holding(busy, SECRETS, {})


def test_personal_data_stands_where_it_may_only(busy: Hub, told: str) -> None:
    """Payloads, documents and the search columns of subjects: nothing in a head, an address, a sentence, a case or the audit."""
    assert holding(busy, PERSONAL, {})
    assert not holding(busy, PERSONAL, MAY)


def test_open_addresses_tell_of_nobody(busy: Hub, told: str) -> None:
    """What answers without a login: health, metrics, the login, errors."""
    client = busy.app.test_client()
    for path in ("/healthz", "/readyz", "/metrics", "/admin/login", "/nothing", "/hooks/nobody", "/hooks/shop"):
        said = client.get(path).text
        assert not [word for word in (*PERSONAL, *SECRETS, *re.findall(r"WB\d{8}", said)) if word in said], path


def test_nothing_traces_yet() -> None:
    """No tracer is shipped: the day that one is, this test is where its spans are searched."""
    from local.servers import CHECKOUT

    locked = (CHECKOUT / "requirements" / "run.txt").read_text()
    assert "opentelemetry" not in locked, "search its spans here, as the logs are searched above"
    assert "traces_sample_rate=0.0" in (CHECKOUT / "app" / "logs.py").read_text()
