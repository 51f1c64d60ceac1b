"""The admin's connectors: a card for each that says what its page in docs/connectors says, with the accounts that use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from app.journal.reading.words import action
from app.web.admin.connectors import ending
from app.web.admin.showing import prose
from connectors import registry
from tests.web.conftest import Hub

TODAY = datetime.now(UTC).date()


def plain(page: str) -> str:
    """A page's text as a person reads it, code and links being words."""
    for mark in ("<code>", "</code>", "</a>"):
        page = page.replace(mark, "")
    return unescape(page)


def test_every_connector_is_listed_with_the_accounts_that_use_it(hub: Hub) -> None:
    told = hub.come_in("viewer").page("/admin/connectors/")
    rows = {row.split('"')[0]: row for row in told.split('class="rowlink" href="/admin/connectors/')[1:]}
    assert set(rows) == set(registry.manifests())
    assert [name for name, row in rows.items() if "/admin/accounts/" in row] == ["acme", "shopify", "smtp"]
    assert ">shop</a>" in rows["acme"]
    assert ">store</a>" in rows["shopify"]
    assert action("give_back") in rows["salesforce_commerce"]
    assert f"{registry.manifests()['shopify'].sunset}, in " in rows["shopify"]
    assert "no day is known" in rows["bigcommerce"]


def test_how_an_account_is_doing_stands_at_its_connector(hub: Hub) -> None:
    """The list and the card say it as the account's own page does, at once."""
    operator, viewer = hub.come_in("operator"), hub.come_in("viewer")
    pages = ("/admin/connectors/", "/admin/connectors/smtp")
    assert all("paused: the relay is moved" not in viewer.page(path) for path in pages)
    operator.press("/admin/accounts/letters/pauses", reason="the relay is moved")
    assert all("paused: the relay is moved" in viewer.page(path) for path in pages)
    assert "paused: the relay is moved" not in viewer.page("/admin/connectors/acme")
    operator.press("/admin/accounts/letters/resumptions", reason="it stands")
    assert all("paused: the relay is moved" not in viewer.page(path) for path in pages)
    assert "No account uses it." in viewer.page("/admin/connectors/netsuite")


@pytest.mark.parametrize("name", registry.manifests())
def test_a_card_says_all_that_its_manifest_says(hub: Hub, name: str) -> None:
    card, told = registry.cards()[name], plain(hub.come_in("viewer").page(f"/admin/connectors/{name}"))
    manifest = card.manifest
    words = [manifest.title, manifest.version, manifest.tier, *manifest.roles, *manifest.credentials, *manifest.secrets]
    words += [*manifest.topics, *manifest.offers, *manifest.settings]
    words += [says for _, says, _ in card.limits] + [one for _, _, several in card.limits for one in several]
    words += [row.name.replace("_", " ") for row in card.writes]
    texts = [*manifest.absent.values(), *(row.window for row in card.writes)]
    texts += [item for section in card.gaps for item in section.items]
    missing = [word for word in words if word not in told]
    missing += [one for one in texts if one.replace("`", "") not in _unlinked(told).replace("`", "")]
    assert not missing


def _unlinked(told: str) -> str:
    """Without the tags of links, their words left."""
    parts = told.split('<a href="http')
    return parts[0] + "".join(part.partition('">')[2] for part in parts[1:])


def test_an_account_says_until_when_what_it_speaks_is_served(hub: Hub) -> None:
    told = hub.come_in("viewer").page("/admin/connectors/shopify")
    manifest = registry.manifests()["shopify"]
    (row,) = [part for part in told.split("<tr>") if "/admin/accounts/store" in part]
    assert f"{manifest.sunset}, in " in row
    assert manifest.version in row


@pytest.mark.parametrize(
    ("days", "tone"), [(400, "calm"), (91, "calm"), (90, "warn"), (31, "warn"), (30, "bad"), (1, "bad"), (0, "bad")]
)
def test_the_end_of_a_version_is_told_the_louder_the_nearer(days: int, tone: str) -> None:
    words, told = ending([TODAY + timedelta(days=days), TODAY + timedelta(days=500)])
    assert told == tone
    assert words == (f"{TODAY + timedelta(days=days)}, in {days} days" if days else f"{TODAY}: it has ended")
    assert ending([]) == ("", "calm")


def test_the_accounts_page_leads_to_the_card(hub: Hub) -> None:
    assert 'href="/admin/connectors/shopify"' in hub.come_in("viewer").page("/admin/accounts/store")


def test_the_accounts_page_tells_which_webhooks_are_off_and_who_may_have_them_registered(hub: Hub) -> None:
    hub.write("INSERT INTO subscriptions (account, topic, alive) VALUES ('store', 'orders/create', true)")
    assert "All 1 are there" in hub.come_in("viewer").page("/admin/accounts/store")
    hub.write(
        "INSERT INTO subscriptions (account, topic, alive, dead_since) VALUES ('store', 'refunds/create', false, now())"
    )
    told = hub.come_in("viewer").page("/admin/accounts/store")
    assert "1 of 2 are off" in told
    assert '<span class="id">refunds/create</span>' in told
    assert "Register webhooks" not in told
    operator = hub.come_in("operator")
    assert "Register webhooks" in operator.page("/admin/accounts/store")
    operator.press("/admin/accounts/store/registrations", reason="they are off")
    (row,) = hub.rows("SELECT who, reason FROM audit WHERE action = 'register webhooks' AND object = 'account:store'")
    assert (row.who, row.reason) == ("operator", "they are off")
    assert hub.come_in("support").press("/admin/accounts/store/registrations").status_code == 403


@pytest.mark.parametrize("name", ["nobody", "kit", "..", "%00", "acme%2F..%2Fkit", "ACME"])
def test_what_is_no_connector_is_not_there(hub: Hub, name: str) -> None:
    assert hub.come_in("admin").get(f"/admin/connectors/{name}").status_code == 404


def test_the_pages_come_with_the_admins_headers(hub: Hub) -> None:
    viewer = hub.come_in("viewer")
    known = dict(viewer.get("/admin/accounts/").headers)
    for path in ("/admin/connectors/", "/admin/connectors/acme"):
        headers = viewer.get(path).headers
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"):
            assert headers[name] == known[name]
        assert hub.app.test_client().get(path).status_code == 302
        assert viewer.client.post(path, data={"csrf_token": viewer.token}).status_code == 405


def test_documentation_is_shown_as_text() -> None:
    """Only `code` and addresses are more than text, whatever stands in a README."""
    assert prose('a <b> & `<i>x</i>` at https://a.example/b?c="d').startswith(
        "a &lt;b&gt; &amp; <code>&lt;i&gt;x&lt;/i&gt;</code> at "
    )
    assert prose("see https://a.example/b (or c).") == (
        'see <a href="https://a.example/b" rel="noreferrer">https://a.example/b</a> (or c).'
    )
    assert '"><script' not in prose('https://a.example/"><script>alert(1)</script>')
    assert prose("javascript:alert(1)") == "javascript:alert(1)"
