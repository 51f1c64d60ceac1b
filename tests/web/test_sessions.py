"""A session is its person's only: it cannot be planted, outlives no logout, and ends by the clock."""

from __future__ import annotations

import time

import pytest
import redis
from flask.testing import FlaskClient

from tests.web.conftest import PASSWORDS, Hub, Person


@pytest.fixture(autouse=True)
def forgiven(hub: Hub) -> None:
    redis.Redis.from_url(hub.redis_url).flushall()


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("waybill")
    return found.value if found else ""


def holder(hub: Hub, value: str) -> Person:
    """Somebody with nothing but this cookie."""
    client = hub.app.test_client()
    client.set_cookie("waybill", value)
    return Person(client)


def test_a_planted_session_is_worth_nothing(hub: Hub) -> None:
    """Who gave the victim a session before the login has neither the session after it nor its forms' token."""
    planted = Person(hub.app.test_client())
    planted.get("/admin/login")
    before = cookie(planted.client)
    victim = holder(hub, before)
    victim.get("/admin/login")
    form = {"login": "admin", "password": PASSWORDS["admin"], "csrf_token": victim.token}
    assert victim.client.post("/admin/login", data=form).status_code == 302
    assert cookie(victim.client) != before
    assert planted.get("/admin/").status_code == 302
    answer = victim.client.post("/admin/accounts/shop/pauses", data={"reason": "x", "csrf_token": planted.token})
    assert answer.status_code == 400
    assert hub.one("SELECT count(*) FROM audit WHERE action = 'pause account'") == 0


def test_a_copied_cookie_dies_with_the_logout(hub: Hub) -> None:
    person = hub.come_in("operator")
    copied = cookie(person.client)
    assert holder(hub, copied).get("/admin/").status_code == 200
    person.press("/admin/logout")
    assert person.get("/admin/").status_code == 302
    assert holder(hub, copied).get("/admin/").status_code == 302
    assert hub.come_in("operator").get("/admin/").status_code == 200


def aged(person: Person, **times: float) -> Person:
    """As if so many seconds had passed since the login (`since`) and the last page (`seen`)."""
    with person.client.session_transaction() as session:
        for name, seconds in times.items():
            session[name] -= seconds
    return person


def test_a_session_ends_when_nobody_uses_it(hub: Hub) -> None:
    from app.web.admin import door

    person = hub.come_in("viewer")
    for _ in range(3):  # used within the time, it goes on
        assert aged(person, seen=door.IDLE - 60).get("/admin/").status_code == 200
    assert aged(person, seen=door.IDLE + 60).get("/admin/").status_code == 302


def test_a_session_ends_however_busy_it_is(hub: Hub) -> None:
    from app.web.admin import door

    person = hub.come_in("viewer")
    assert aged(person, since=door.LONGEST - 60).get("/admin/").status_code == 200
    assert aged(person, since=120).get("/admin/").status_code == 302


def test_a_session_without_its_times_is_over(hub: Hub) -> None:
    """As those were that an older version of the hub gave."""
    person = hub.come_in("viewer")
    with person.client.session_transaction() as session:
        del session["since"]
    assert person.get("/admin/").status_code == 302


@pytest.mark.parametrize("value", ["", "x", "e30.aaaa.bbbb", "eyJfdXNlcl9pZCI6ImFkbWluIn0.AAAA.forged"])
def test_a_made_up_cookie_is_nobody(hub: Hub, value: str) -> None:
    assert holder(hub, value).get("/admin/").status_code == 302


def test_a_cookie_signed_with_another_key_is_nobody(hub: Hub) -> None:
    from flask.sessions import SecureCookieSessionInterface

    from app.database import transaction
    from app.web import people

    with transaction() as tx:
        known = people.person(tx, "admin")
    assert known is not None
    key, hub.app.secret_key = hub.app.secret_key, "another key"
    signer = SecureCookieSessionInterface().get_signing_serializer(hub.app)
    hub.app.secret_key = key
    assert signer is not None
    now = time.time()
    forged = signer.dumps({"_user_id": known.get_id(), "since": now, "seen": now})
    assert holder(hub, str(forged)).get("/admin/").status_code == 302


def test_another_address_in_a_header_is_no_way_round_the_brake(hub: Hub) -> None:
    """X-Forwarded-For is believed from TRUSTED_PROXIES only, and there are none."""
    answers = []
    for n in range(14):
        person = Person(hub.app.test_client())
        person.get("/admin/login")
        told = {
            "X-Forwarded-For": f"198.51.100.{n}",
            "X-Real-IP": f"198.51.100.{n}",
            "Forwarded": f"for=198.51.100.{n}",
        }
        form = {"login": f"nobody-{n}", "password": "x", "csrf_token": person.token}
        answers.append(person.client.post("/admin/login", data=form, headers=told).status_code)
    assert answers[-1] == 429


def test_what_is_audited_says_from_where(hub: Hub) -> None:
    """Every action of a person bears the address that it came from."""
    operator = hub.come_in("operator")
    operator.press("/admin/accounts/letters/pauses")
    operator.press("/admin/accounts/letters/resumptions")
    operator.press("/admin/accounts/shop/registrations")
    operator.press("/admin/logout")
    hub.come_in("admin").press("/admin/users/", login="heard", password="heard from afar", role="viewer")
    rows = hub.rows("SELECT action, address FROM audit ORDER BY id")
    assert {row.address for row in rows} == {"127.0.0.1"}, [tuple(row) for row in rows]
    assert {"pause account", "resume account", "register webhooks", "log in", "log out", "set login"} <= {
        row.action for row in rows
    }


def test_a_command_is_audited_from_its_terminal(hub: Hub) -> None:
    from socket import gethostname

    from click.testing import CliRunner

    from app.journal.actions import ORIGIN
    from app.web.commands import waybill

    done = CliRunner().invoke(waybill, ["users", "add", "terminal", "--password", "a long enough one"])
    ORIGIN.set("")
    assert done.exit_code == 0, done.output
    row = hub.rows("SELECT address FROM audit WHERE object = 'user:terminal'")[0]
    assert row.address == f"terminal on {gethostname()}"
