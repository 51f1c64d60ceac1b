"""Every address and action has a role that it needs, and nobody reaches it without; every action needs the form's own token."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from app.web.people import ROLES
from tests.web.conftest import PASSWORDS, Hub, Person

OPEN = {
    "static",
    "bootstrap.static",
    "health.healthz",
    "health.readyz",
    "health.figures",
    "door.login",
    "door.logout",
    "where.one",
}
# What each role may do, said here once more: a change of rights shows in two places.
RIGHTS = {
    "support": "audit.index steps.retries steps.selected causes.retries causes.assignments codes.additions holds.place holds.releases "
    "fulfilments.extensions fulfilments.returns fulfilments.rejections fulfilments.sourcing fulfilments.acceptances "
    "fulfilments.acknowledgements fulfilments.picks fulfilments.packs fulfilments.preparations fulfilments.collections fulfilments.refusals "
    "fulfilments.no_shows fulfilments.substitutions fulfilments.shipments customers.index customers.one customers.merges "
    "webhooks.again returns.requests returns.allowances fulfilments.reassignments fulfilments.waits",
    "operator": "returns.dispositions returns.arrivals orders.cancellations orders.reductions "
    "steps.cancellations causes.plan events.replays accounts.pauses accounts.drains accounts.resumptions accounts.limits "
    "accounts.registrations bulk.plan bulk.actions bulk.pauses bulk.resumptions bulk.stops sourcing.drafts sourcing.activations "
    "stock.publications stock.repairs webhooks.switches webhooks.replays feeds.approvals feeds.rejections feeds.rollbacks "
    "prices.publications proofs.repairs",
    "admin": "steps.repeats users.index users.additions users.changes keys.index keys.additions keys.successors keys.revocations "
    "webhooks.additions webhooks.secrets webhooks.withdrawals",
}
NEEDED = {endpoint: role for role, endpoints in RIGHTS.items() for endpoint in endpoints.split()}


def rules(hub: Hub) -> Iterator[tuple[Rule, str, str]]:
    """Every address of the admin with an example in it: (rule, method, path)."""
    for rule in hub.app.url_map.iter_rules():
        if rule.endpoint not in OPEN:
            path = re.sub(
                r"<(?:\w+:)?(\w+)>",
                lambda found: {"account": "shop", "waybill": "WB00000001", "login": "viewer", "connector": "acme"}.get(
                    found[1], "1"
                ),
                rule.rule,
            )
            for method in {"GET", "POST"} & set(rule.methods or ()):
                yield rule, method, path


def test_every_address_declares_its_role(hub: Hub) -> None:
    """Undeclared is refused to everybody by the gate; here it is a fault. What is no screen of the admin declares `needs` itself."""
    views = {view.endpoint: view for view in hub.app.extensions["admin"][0]._views}
    missing = []
    for rule in hub.app.url_map.iter_rules():
        if rule.endpoint in OPEN or rule.endpoint.endswith(".static"):
            continue
        screen, _, method = rule.endpoint.partition(".")
        needs = getattr(views.get(screen), "needs", {}).get(method)
        needs = needs or getattr(hub.app.view_functions[rule.endpoint], "needs", None)
        if needs not in ROLES:
            missing.append((rule.rule, rule.endpoint, needs))
    assert not missing


def test_a_declared_role_belongs_to_an_address(hub: Hub) -> None:
    """So that a renamed method does not leave its role behind."""
    known = {rule.endpoint for rule in hub.app.url_map.iter_rules()}
    for view in hub.app.extensions["admin"][0]._views:
        assert {f"{view.endpoint}.{method}" for method in getattr(view, "needs", {})} <= known


def test_no_unsafe_method_works_without_the_forms_token(hub: Hub) -> None:
    """Every address, every method that may change anything, as the mightiest: nothing, a wrong one, another session's."""
    person, other = hub.come_in("admin"), hub.come_in("admin")
    before, seen = hub.one("SELECT count(*) FROM audit"), 0
    for rule in hub.app.url_map.iter_rules():
        path = re.sub(r"<(?:int:|path:)?(\w+)>", "1", rule.rule)
        for method in {"POST", "PUT", "PATCH", "DELETE"} & set(rule.methods or ()):
            for form in ({}, {"csrf_token": "x"}, {"csrf_token": other.token}):
                answer = person.client.open(path, method=method, data={"reason": "x", **form})
                assert answer.status_code == 400, (method, path, answer.status_code)
                seen += 1
    assert seen > 30
    assert hub.one("SELECT count(*) FROM audit") == before


def test_reading_changes_nothing(hub: Hub) -> None:
    """No page that is only looked at leaves more than that it was looked at."""
    person = hub.come_in("admin")
    tables = ("steps", "events", "cases", "codes", "account_state", "users", "errands")
    before = [
        hub.one(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t") for name in tables
    ]
    for _, method, path in rules(hub):
        if method == "GET":
            person.get(path)
    after = [
        hub.one(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t") for name in tables
    ]
    assert after == before


def test_nobody_comes_in_without_a_login(hub: Hub) -> None:
    seen = 0
    for _, method, path in rules(hub):
        answer = hub.app.test_client().open(path, method=method)
        # a form without a token is refused before anybody asks who it is
        assert answer.status_code == (302 if method == "GET" else 400), (method, path)
        assert method == "POST" or "/admin/login" in answer.headers["Location"]
        seen += 1
    assert seen > 25


def test_nobody_reaches_the_api_without_a_key(hub: Hub) -> None:
    """Only what describes it is open."""
    seen = 0
    for rule in hub.app.extensions["api"].url_map.iter_rules():
        for method in {"GET", "POST", "DELETE"} & set(rule.methods or ()):
            answer = hub.app.test_client().open(rule.rule.replace("<name>", "res_1"), method=method)
            assert answer.status_code == (200 if rule.rule.endswith("openapi.json") else 401), (method, rule.rule)
            seen += 1
    assert seen > 8


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_it_may_and_nothing_else(hub: Hub, role: str) -> None:
    person = hub.come_in(role)
    for rule, method, path in rules(hub):
        needed = NEEDED.get(rule.endpoint, "viewer")
        may = ROLES.index(role) >= ROLES.index(needed)
        answer = person.get(path) if method == "GET" else person.client.post(path, data={"csrf_token": person.token})
        assert (answer.status_code == 403) is not may, (role, method, path, answer.status_code)
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "path", ["/admin/steps/1/retries", "/admin/accounts/shop/pauses", "/admin/users/", "/admin/codes/", "/admin/logout"]
)
def test_a_form_from_elsewhere_is_refused(hub: Hub, path: str) -> None:
    person = hub.come_in("admin")
    for token in ({}, {"csrf_token": "made up"}, {"csrf_token": hub.come_in("admin").token}):
        answer = person.client.post(path, data={"reason": "x", **token})
        assert answer.status_code == 400
    assert hub.one("SELECT count(*) FROM audit WHERE action = 'pause account'") == 0


def test_retrying_all_is_an_operators_right(hub: Hub) -> None:
    assert hub.come_in("support").press("/admin/cases/1/retries", all="1").status_code == 403
    assert hub.come_in("operator").press("/admin/cases/1/retries", all="1").status_code == 404  # nothing there


def test_an_action_needs_a_reason(hub: Hub) -> None:
    person = hub.come_in("admin")
    for path in ("/admin/accounts/shop/pauses", "/admin/steps/1/retries", "/admin/events/1/replays"):
        assert person.press(path, reason="  ").status_code == 400


def test_an_admin_does_not_lock_the_last_door(hub: Hub) -> None:
    hub.come_in("admin").press("/admin/users/admin/changes", role="viewer")
    assert hub.one("SELECT role FROM users WHERE login = 'admin'") == "admin"


def test_a_login_that_is_taken_away_ends_its_session(hub: Hub) -> None:
    admin = hub.come_in("admin")
    admin.press("/admin/users/", login="gone", password="gone tomorrow", role="operator")
    gone = Person(hub.app.test_client()).log_in("gone", "gone tomorrow")
    assert gone.get("/admin/orders/").status_code == 200
    admin.press("/admin/users/gone/changes", role="operator")
    assert gone.get("/admin/orders/").status_code == 302


def test_another_password_ends_all_sessions(hub: Hub) -> None:
    admin = hub.come_in("admin")
    admin.press("/admin/users/", login="moved", password="the first one", role="support")
    moved = Person(hub.app.test_client()).log_in("moved", "the first one")
    assert moved.get("/admin/").status_code == 200
    admin.press("/admin/users/", login="moved", password="the second one", role="support")
    assert moved.get("/admin/").status_code == 302


def test_passwords_are_kept_as_hashes(hub: Hub) -> None:
    for row in hub.rows("SELECT login, password FROM users"):
        assert row.password.startswith("scrypt:")
        assert PASSWORDS.get(row.login, "?") not in row.password
