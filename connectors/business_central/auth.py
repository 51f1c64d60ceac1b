"""An access token is bought from Microsoft Entra with the client's own secret (client credentials)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.account import Account
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Http
from connectors.kit.verdicts import trouble

VENDOR = "api.businesscentral.dynamics.com"
LOGIN = "https://login.microsoftonline.com"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
MARGIN = 120  # seconds before its end that a token is bought anew


def login_url(account: Account) -> str:
    """Microsoft's own door for the vendor's host; elsewhere (on premises, a simulator) the account's own host or setting."""
    own = str(account.settings.get("login_url", "")).rstrip("/")
    if own:
        return own
    return LOGIN if urlsplit(account.base_url).hostname == VENDOR else account.base_url.rstrip("/")


def access_token(http: Http, account: Account) -> tuple[str, float]:
    """A bearer token and the seconds it may be used. Raises Unauthorized where the client or its secret is refused."""
    form = {
        "grant_type": "client_credentials",
        "client_id": account.credentials["client_id"],
        "client_secret": account.credentials["client_secret"],
        "scope": SCOPE,
    }
    door = replace(http, hosts=(*http.hosts, login_url(account)))
    url = f"{login_url(account)}/{account.settings.get('tenant', '')}/oauth2/v2.0/token"
    answer = door.call("POST", url, operation="oauth.token", form=form, secret=True)
    if answer.status in (400, 401, 403):
        raise _refused(answer.json())
    found = trouble(answer)
    if found is not None:
        raise found
    body = answer.json()
    if not isinstance(body, Mapping) or not body.get("access_token"):
        raise Transient("Microsoft Entra answered a token request without a token.", code="unreadable_answer")
    return str(body["access_token"]), max(1.0, float(body.get("expires_in", 3599)) - MARGIN)


def _refused(body: Any) -> Unauthorized:
    said = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    return Unauthorized(
        f"Microsoft Entra gives no access token ({said or 'refused'}).",
        code=said or "unauthorized",
        remedy="Look at the app registration: is its secret still good, has it the permission API.ReadWrite.All with "
        "admin consent, and is it enabled on the page Microsoft Entra Applications of Business Central?",
        owner="integration desk",
    )
