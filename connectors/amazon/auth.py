"""Login with Amazon: access tokens of the seller and of the application itself, and tokens for restricted data.

Sources: developer-docs.amazon.com/sp-api/docs/connecting-to-the-selling-partner-api, .../grantless-operations-1;
../shared/specs/amazon-spapi/models/tokens_2021-03-01.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.account import Account
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Http
from connectors.kit.verdicts import trouble

LOGIN = "https://api.amazon.com"
MARGIN = 60  # seconds before its end that a token is bought anew
SELLER, OURSELVES, RESTRICTED = "lwa", "lwa-notifications", "rdt"
NOTIFICATIONS = "sellingpartnerapi::notifications"


def login_url(account: Account) -> str:
    """Amazon's own door for Amazon's hosts; elsewhere (a simulator) the account's own host, or the setting."""
    own = str(account.settings.get("login_url", "")).rstrip("/")
    if own:
        return own
    host = urlsplit(account.base_url).hostname or ""
    return LOGIN if host.endswith(".amazon.com") else account.base_url.rstrip("/")


def access_token(http: Http, account: Account, name: str = SELLER) -> tuple[str, float]:
    """A token and the seconds it may be used. Raises Unauthorized where the application or its grant is refused."""
    secrets = account.credentials
    grant = {"grant_type": "refresh_token", "refresh_token": secrets["refresh_token"]}
    if name == OURSELVES:
        grant = {"grant_type": "client_credentials", "scope": NOTIFICATIONS}
    form = {**grant, "client_id": secrets["client_id"], "client_secret": secrets["client_secret"]}
    door = replace(http, hosts=(*http.hosts, login_url(account)))
    answer = door.call("POST", f"{login_url(account)}/auth/o2/token", operation="lwa.token", form=form, secret=True)
    if answer.status in (400, 401, 403):
        raise _refused(answer.json())
    found = trouble(answer)
    if found is not None:
        raise found
    return _token(answer.json(), "access_token", "expires_in")


def restricted(body: Any) -> tuple[str, float]:
    """A restricted data token out of its answer."""
    return _token(body, "restrictedDataToken", "expiresIn")


def _token(body: Any, name: str, lives: str) -> tuple[str, float]:
    if not isinstance(body, Mapping) or not body.get(name):
        raise Transient("Amazon answered a token request without a token.", code="unreadable_answer")
    return str(body[name]), max(1.0, float(body.get(lives, 3600)) - MARGIN)


def _refused(body: Any) -> Unauthorized:
    said = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    return Unauthorized(
        f"Login with Amazon gives no access token ({said or 'refused'}).",
        code=said or "unauthorized",
        remedy="Has the seller withdrawn the authorisation (Seller Central, Manage Your Apps), or has it ended after a "
        "year? Then authorise the application again and put its new refresh token in place. Has the client secret been "
        "rotated? It ends 180 days after it was made.",
        owner="integration desk",
    )
