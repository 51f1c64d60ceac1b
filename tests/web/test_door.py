"""The login: a brake on guessing, a lock on the guessed, cookies and headers that give nothing away."""

from __future__ import annotations

import pytest

from tests.web.conftest import PASSWORDS, Hub, Person


@pytest.fixture(autouse=True)
def forgiven(hub: Hub) -> None:
    """Each test begins with an unused brake."""
    import redis

    redis.Redis.from_url(hub.redis_url).flushall()


def test_a_guessed_login_is_locked_for_a_while(hub: Hub) -> None:
    """Also for the right password; the answer is the same for a wrong one, a locked one and nobody."""
    hub.come_in("admin").press("/admin/users/", login="guessed", password="nobody guesses this", role="viewer")
    said = set()
    for password in ("a", "b", "c", "d", "e", "nobody guesses this"):
        answer = Person(hub.app.test_client()).log_in("guessed", password).answer
        assert answer.status_code == 401
        said.add("do not fit" in answer.text)
    assert said == {True}
    assert hub.one("SELECT locked_until > now() FROM users WHERE login = 'guessed'")
    hub.write("UPDATE users SET locked_until = now() - interval '1 second' WHERE login = 'guessed'")
    assert Person(hub.app.test_client()).log_in("guessed", "nobody guesses this").answer.status_code == 302
    assert hub.one("SELECT failed FROM users WHERE login = 'guessed'") == 0


def test_guessing_from_one_address_is_slowed(hub: Hub) -> None:
    answers = [Person(hub.app.test_client()).log_in(f"nobody-{n}", "x").answer.status_code for n in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[-1] == 429


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/admin\\@x",
        "javascript:alert(1)",
        "/other",
    ],
)
def test_the_way_back_stays_in_the_house(hub: Hub, target: str) -> None:
    client = hub.app.test_client()
    person = Person(client)
    person.get("/admin/login")
    form = {"login": "viewer", "password": PASSWORDS["viewer"], "csrf_token": person.token}
    answer = client.post("/admin/login", query_string={"next": target}, data=form)
    assert answer.headers["Location"] == "/admin/"
    person.get("/admin/")
    answer = hub.come_in("operator").press("/admin/events/999999/replays", back=target)
    assert answer.headers["Location"] == "/admin/"


def test_the_way_back_is_kept(hub: Hub) -> None:
    asked = hub.app.test_client().get("/admin/orders/?attention=1")
    assert "next=/admin/orders/?attention%3D1" in asked.headers["Location"].replace("%2F", "/").replace("%3F", "?")


def test_cookies_and_headers(hub: Hub) -> None:
    answer = hub.come_in("viewer").answer
    cookie = next(value for name, value in answer.headers if name == "Set-Cookie" and "waybill=" in value)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = hub.come_in("viewer").get("/admin/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_cookie_is_secure_unless_told_that_there_is_no_tls(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web import create_app

    monkeypatch.delenv("PLAIN_HTTP")
    assert create_app().config["SESSION_COOKIE_SECURE"] is True


def test_a_secret_key_is_demanded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web import create_app

    monkeypatch.delenv("SECRET_KEY")
    with pytest.raises(RuntimeError, match="Remedy"):
        create_app()


def test_the_first_admin_comes_from_the_environment_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web.people import ensure_admin, enter

    monkeypatch.setenv("ADMIN_LOGIN", "first")
    monkeypatch.setenv("ADMIN_PASSWORD", "the very first password")
    ensure_admin()
    monkeypatch.setenv("ADMIN_PASSWORD", "changed in the environment")
    ensure_admin()
    known = enter("first", "the very first password")
    assert known is not None
    assert known.role == "admin"


def test_forwarded_headers_are_believed_only_from_a_trusted_proxy(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web import create_app

    told = {"X-Forwarded-For": "192.0.2.99", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"}
    plain = create_app().test_client().get("/admin/", headers=told)
    assert "Strict-Transport-Security" not in plain.headers
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    trusted = create_app().test_client().get("/admin/", headers=told)
    assert "Strict-Transport-Security" in trusted.headers
