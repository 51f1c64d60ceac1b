"""Pages over a hub that has had a day: found by any number, told in words, masked by role, and acted upon."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import Hub, Person

# What the day's customer is, in the simulator's fixtures.
PERSONAL = ("ana@example.com", "Ana Example", "Musterweg", "+49 221 5550100", "50667", "blocked@example.com")
PAGES = (
    "/admin/",
    "/admin/orders/",
    "/admin/orders/?attention=1",
    "/admin/orders/?account=shop&state=shipped",
    "/admin/cases/",
    "/admin/cases/?closed=1",
    "/admin/codes/",
    "/admin/accounts/",
    "/admin/accounts/erp",
    "/admin/accounts/hub",
    "/admin/connectors/",
    "/admin/connectors/acme",
    "/admin/connectors/salesforce_commerce",
    "/admin/events/",
    "/admin/events/?state=quarantined",
    "/admin/steps/?state=parked",
    "/admin/steps/?account=erp&open=1",
    "/admin/attempts/?account=erp&recent=1&bad=1",
)


def details(hub: Hub) -> list[str]:
    """Every page of one thing that the day left."""
    found = [f"/admin/orders/{row.waybill}" for row in hub.rows("SELECT waybill FROM subjects WHERE kind = 'order'")]
    found += [f"/admin/events/{row.id}" for row in hub.rows("SELECT id FROM events")]
    found += [f"/admin/cases/{row.id}" for row in hub.rows("SELECT id FROM cases")]
    found += [f"/admin/cases/{row.id}/plan" for row in hub.rows("SELECT id FROM cases")]
    for row in hub.rows("SELECT id FROM attempts"):
        found += [f"/admin/attempts/{row.id}", f"/admin/attempts/{row.id}/exchange"]
    return found


def order_of(hub: Hub, state: str) -> str:
    """An order with a step in this state."""
    return str(
        hub.one(
            "SELECT b.waybill FROM steps s JOIN subjects b ON b.id = s.subject_id WHERE s.state = :state ORDER BY s.id LIMIT 1",
            state=state,
        )
    )


def test_every_page_is_there_for_every_role(busy: Hub) -> None:
    operator = busy.come_in("operator")
    for path in (*PAGES, "/admin/audit/", *details(busy)):
        operator.page(path)
    admin = busy.come_in("admin")
    for path in ("/admin/users/", "/admin/audit/?who=admin"):
        admin.page(path)


def test_a_viewer_sees_nothing_personal(busy: Hub) -> None:
    viewer = busy.come_in("viewer")
    for path in (*PAGES, *(path for path in details(busy) if "/plan" not in path), "/admin/orders/?q=ana@example.com"):
        told = (
            viewer.page(path)
            .replace("q=ana@example.com", "")
            .replace('value="ana@example.com"', "")
            .replace("“ana@example.com”", "")
        )
        told = re.sub(r"<title>.*?</title>", "", told)
        found = [word for word in PERSONAL if word in told]
        assert not found, (path, found)


def test_support_sees_the_customer_and_that_is_noted(busy: Hub) -> None:
    support = busy.come_in("support")
    waybill = order_of(busy, "parked")
    assert "Musterweg" in support.page(f"/admin/orders/{waybill}")
    support.page(f"/admin/orders/{waybill}")
    looked = busy.one(
        "SELECT count(*) FROM audit WHERE who = 'support' AND action = 'see personal data' AND object = :o",
        o=f"order:{waybill}",
    )
    assert looked == 1


@pytest.mark.parametrize("secret", ["tests-secret", "Bearer "])
def test_no_secret_is_on_any_page(busy: Hub, secret: str) -> None:
    admin = busy.come_in("admin")
    for path in (*PAGES, *details(busy)):
        assert secret not in admin.page(path), path


def test_an_order_is_found_by_any_number(busy: Hub) -> None:
    """The way of a support call: whatever number the caller has leads to the order's page."""
    support = busy.come_in("support")
    first = busy.rows("SELECT id, waybill, number, external_id FROM subjects WHERE kind = 'order' ORDER BY id")[0]
    numbers = [first.waybill, first.waybill.lower(), first.number, first.external_id]
    numbers += [row.theirs for row in busy.rows("SELECT theirs FROM links WHERE subject_id = :id", id=first.id)]
    assert len(numbers) > 5
    for number in numbers:
        answer = support.get("/admin/orders/", query_string={"q": f" {number} "})
        assert answer.status_code == 302, number
        assert f"/admin/orders/{first.waybill}" in answer.headers["Location"]
    assert "Nothing is known" in support.page("/admin/orders/?q=no-such-thing")
    assert first.waybill in support.page("/admin/orders/?q=WB-TEE") or "WB-TEE" in support.page(
        "/admin/orders/?q=WB-TEE"
    )
    assert first.waybill in support.page("/admin/orders/?q=ana@")


@pytest.mark.parametrize("word", ["%", "_", "\\", "'; DROP TABLE users; --", "\x00", "a" * 5000, "💥", "%%%", "WB%"])
def test_a_search_may_be_anything(busy: Hub, word: str) -> None:
    answer = busy.come_in("support").get("/admin/orders/", query_string={"q": word})
    assert answer.status_code in (200, 302)
    assert busy.one("SELECT count(*) FROM users") >= 4


def test_a_batch_that_is_called_back_names_its_orders(busy: Hub) -> None:
    """What lies there of a lot, who says so, and which orders pieces of it left with."""
    viewer = busy.come_in("viewer")
    first = busy.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id LIMIT 1")
    there = viewer.page("/admin/stock/sku/WB-TEE")
    assert "L-7" in there
    assert "2027-03-01" in there
    assert 'href="/admin/orders/?lot=L-7"' in there
    got = viewer.page("/admin/orders/?lot=l-7")
    assert re.findall(r'rowlink id" href="[^"]*">([^<]+)<', got) == [first]
    assert "lot L-7" in viewer.page(f"/admin/orders/{first}")
    assert "No order is known to have got any of lot L-8" in viewer.page("/admin/orders/?lot=L-8")
    assert f"/admin/orders/{first}" in viewer.get("/admin/orders/", query_string={"q": "L-7"}).headers["Location"]


@pytest.mark.parametrize(
    "bad",
    [
        "before=x",
        "before=-1",
        "before=999999999999999999999",
        "before=1%00",
        "account=%00",
        "state='",
        "after=%F0",
        "a=1&k=2&o=3",
    ],
)
def test_addresses_may_be_anything(busy: Hub, bad: str) -> None:
    operator = busy.come_in("operator")
    for path in (
        "/admin/orders/",
        "/admin/steps/",
        "/admin/events/",
        "/admin/attempts/",
        "/admin/cases/",
        "/admin/audit/",
        "/admin/codes/",
        "/admin/orders/?attention=1",
    ):
        assert operator.get(f"{path}{'&' if '?' in path else '?'}{bad}").status_code == 200, path
    for path in (
        "/admin/orders/nothing",
        "/admin/events/99999999999999999999",
        "/admin/attempts/0",
        "/admin/cases/0",
        "/admin/accounts/nobody",
    ):
        assert operator.get(path).status_code == 404, path


def test_an_order_says_where_it_is_stuck_and_who_is_asked(busy: Hub) -> None:
    viewer = busy.come_in("viewer")
    stopped = viewer.page(f"/admin/orders/{order_of(busy, 'dead')}")
    assert re.search("Stopped at “Book the order” at erp for [^:]+: This customer is blocked for new orders.", stopped)
    assert "Asked to look: finance systems" in stopped
    waiting = viewer.page(f"/admin/orders/{order_of(busy, 'parked')}")
    assert "SKU WB-MUG is not mapped for erp." in waiting
    assert "Waits for: Book the order at erp" in waiting
    done = viewer.page("/admin/orders/WB00000001")
    assert "Everything that this order asked for is done" in done
    for system in ("shop", "erp", "warehouse", "letters"):
        assert f"<em>{system}</em>" in done


def test_the_health_page_links_every_number(busy: Hub) -> None:
    told = busy.come_in("viewer").page("/admin/")
    for link in (
        "/admin/steps/?account=erp&amp;state=parked",
        "/admin/steps/?account=erp&amp;state=dead",
        "/admin/events/?state=quarantined",
        "/admin/orders/?attention=1",
    ):
        assert link in told
    parked = busy.one("SELECT count(*) FROM steps WHERE state = 'parked' AND account = 'erp'")
    rows = busy.come_in("viewer").page("/admin/steps/?account=erp&state=parked").count('class="rowlink id"')
    assert rows == parked


XSS = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_a_payload_cannot_run_in_a_page(busy: Hub) -> None:
    """Whatever a customer, a vendor or a colleague typed is shown as text."""
    from app.journal.accept import accept

    played = busy.world
    assert played is not None
    order = played.order(
        customer={"id": "c-x", "email": "x@example.com", "first_name": XSS, "last_name": XSS}, note=XSS, number=XSS
    )
    accept("shop", XSS, XSS, {"x-name": XSS}, ('{"type": "' + XSS.replace('"', '\\"') + '"}').encode())
    played.pump()
    assert order["id"]
    busy.write("UPDATE steps SET sentence = :x, remedy = :x, owner = :x WHERE state = 'dead'", x=XSS)
    busy.write("UPDATE cases SET sentence = :x, owner = :x, remedy = :x", x=XSS)
    operator = busy.come_in("operator")
    operator.press("/admin/accounts/letters/drains", reason=XSS)
    operator.press("/admin/accounts/letters/resumptions", reason=XSS)
    for path in (
        *PAGES,
        *details(busy),
        "/admin/audit/",
        f"/admin/orders/?q={XSS}",
        f"/admin/codes/?word={XSS}&ours={XSS}",
    ):
        told = operator.get(path).text
        assert "<script>alert" not in told, path
        assert "<img src=x" not in told, path


def test_a_retry_is_asked_for_once_and_noted(busy: Hub) -> None:
    support = busy.come_in("support")
    step = busy.one("SELECT id FROM steps WHERE state = 'dead' ORDER BY id LIMIT 1")
    page = f"/admin/orders/{order_of(busy, 'dead')}"
    answer = support.press(f"/admin/steps/{step}/retries", reason="the customer was unblocked", back=page)
    assert answer.headers["Location"] == page
    assert busy.one("SELECT state FROM steps WHERE id = :id", id=step) == "ready"
    noted = busy.rows("SELECT who, reason FROM audit WHERE object = :o AND action = 'retry step'", o=f"step:{step}")
    assert [tuple(row) for row in noted] == [("support", "the customer was unblocked")]
    assert "the customer was unblocked" in support.page(page)


def test_all_of_a_cause_are_retried(busy: Hub) -> None:
    from tasks.feeds import bulk

    played = busy.world
    assert played is not None
    played.pump()
    case = busy.one("SELECT id FROM cases WHERE kind = 'dead' AND status <> 'resolved' LIMIT 1")
    members = busy.one("SELECT count(*) FROM case_members WHERE case_id = :id AND closed_at IS NULL", id=case)
    operator = busy.come_in("operator")
    assert f"Retry {members}" in operator.page(f"/admin/cases/{case}/plan")
    asked = operator.press(f"/admin/cases/{case}/retries", all="1", reason="mended at the ERP").headers["Location"]
    assert f"<b>0</b> of {members}" in operator.page(asked)
    bulk.run()
    assert f"<b>{members}</b> of {members}" in operator.page(asked)
    assert busy.one("SELECT count(*) FROM steps WHERE state = 'ready' AND name = 'book_order'") >= members


def test_a_case_is_taken(busy: Hub) -> None:
    case = busy.one("SELECT id FROM cases WHERE status <> 'resolved' LIMIT 1")
    support = busy.come_in("support")
    support.press(f"/admin/cases/{case}/assignments")
    assert "taken by support" in support.page(f"/admin/cases/{case}")


def test_a_missing_mapping_is_added_and_the_orders_go_on(busy: Hub) -> None:
    played = busy.world
    assert played is not None
    support = busy.come_in("support")
    assert "Missing: orders wait for these" in support.page("/admin/codes/")
    support.press("/admin/codes/", account="erp", kind="sku", ours="WB-MUG", theirs="MUG-1")
    assert busy.one("SELECT count(*) FROM steps WHERE state = 'parked'") == 0
    assert busy.one("SELECT by FROM codes WHERE ours = 'WB-MUG'") == "support"
    assert "No order waits for a mapping." in support.page("/admin/codes/")
    assert busy.one("SELECT count(*) FROM audit WHERE action = 'add mapping'") == 1


@pytest.mark.parametrize("form", [{"account": "nobody"}, {"kind": "colour"}, {"theirs": ""}, {"ours": "a\x07b"}])
def test_a_mapping_that_makes_no_sense_is_refused(busy: Hub, form: dict[str, str]) -> None:
    before = busy.one("SELECT count(*) FROM codes")
    busy.come_in("support").press(
        "/admin/codes/", **{"account": "erp", "kind": "sku", "ours": "A", "theirs": "B", **form}
    )
    assert busy.one("SELECT count(*) FROM codes") == before


def test_an_account_is_paused_drained_and_resumed(busy: Hub) -> None:
    operator = busy.come_in("operator")
    operator.press("/admin/accounts/warehouse/pauses", reason="stocktaking")
    assert "paused: stocktaking" in operator.page("/admin/").lower()
    operator.press("/admin/accounts/warehouse/resumptions")
    assert busy.one("SELECT paused FROM account_state WHERE account = 'warehouse'") is False
    operator.press("/admin/accounts/warehouse/drains", reason="a move")
    assert "draining" in operator.page("/admin/accounts/warehouse").lower()
    operator.press("/admin/accounts/warehouse/resumptions")
    assert operator.press("/admin/accounts/nobody/pauses").status_code == 404


def test_a_limit_is_changed_for_a_while(busy: Hub) -> None:
    from app.accounts import entries

    operator = busy.come_in("operator")
    name = entries.limits_of("erp")[0].name
    operator.press("/admin/accounts/erp/limits", name=name, rate="3", burst="5", hours="1")
    assert busy.one("SELECT limits FROM account_state WHERE account = 'erp'") == {name: {"rate": 3.0, "burst": 5.0}}
    for wrong in ({"rate": "many"}, {"name": "nothing"}, {"hours": "1e9"}, {"rate": "nan"}):
        operator.press("/admin/accounts/erp/limits", **{"name": name, "rate": "3", "burst": "5", "hours": "1", **wrong})
    assert busy.one("SELECT count(*) FROM audit WHERE action = 'set limit'") == 1


def test_a_delivery_is_received_again(busy: Hub) -> None:
    operator = busy.come_in("operator")
    unusable = busy.one("SELECT id FROM events WHERE state = 'quarantined' LIMIT 1")
    operator.press(f"/admin/events/{unusable}/replays", reason="the mapping was mended")
    assert busy.one("SELECT state FROM events WHERE id = :id", id=unusable) == "accepted"
    done = busy.one("SELECT id FROM events WHERE state = 'applied' LIMIT 1")
    operator.press(f"/admin/events/{done}/replays")
    assert busy.one("SELECT state FROM events WHERE id = :id", id=done) == "applied"


def test_a_delivery_says_how_often_it_came(busy: Hub) -> None:
    again = busy.one("SELECT event_id FROM deliveries WHERE seen = 2 LIMIT 1")
    assert "2 times: 1 duplicates were answered" in busy.come_in("viewer").page(f"/admin/events/{again}")


def walked(person: Person, path: str) -> list[str]:
    """Every row's address over all pages of a list, by its "next" links."""
    found: list[Any] = []
    while path:
        told = person.page(path)
        found += re.findall(r'class="rowlink[^"]*" href="([^"]+)"', told)
        following = re.search(r'rel="next" href="([^"]+)"', told)
        path = following.group(1).replace("&amp;", "&") if following else ""
    return found


def test_lists_are_paged_by_key(busy: Hub) -> None:
    """120 more orders: each stands on exactly one page, also the troubled ones, also while new ones arrive at the front."""
    busy.write(
        "INSERT INTO subjects (kind, account, external_id, waybill, number) "
        "SELECT 'order', 'shop', 'p' || n, 'WBP' || n, 'P' || n FROM generate_series(1, 120) n"
    )
    viewer = busy.come_in("viewer")
    rows = walked(viewer, "/admin/orders/")
    assert len(rows) == len(set(rows)) == busy.one("SELECT count(*) FROM subjects WHERE kind = 'order'")
    for path, count in (
        ("/admin/events/", "SELECT count(*) FROM events"),
        ("/admin/attempts/", "SELECT count(*) FROM attempts"),
        ("/admin/steps/", "SELECT count(*) FROM steps"),
    ):
        assert len(walked(viewer, path)) == busy.one(count), path
