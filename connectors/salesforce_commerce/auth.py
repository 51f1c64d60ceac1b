"""Access tokens are bought from Account Manager with the API client's own secret (client credentials); they live 30 minutes.

SCAPI wants the tenant and the scopes named; OCAPI and WebDAV take a token without (their rights are kept in Business
Manager): so there are two. Source: SalesforceCommerceCloud/b2c-developer-tooling, docs/cli/auth.md; securitySchemes of
orders-oas-1.5.2.yaml (AmOAuth2) and ocapi-data-api.json ("Scopes are NOT supported").
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlsplit

from connectors.kit.account import Account
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Http
from connectors.kit.verdicts import trouble

SCAPI, INSTANCE = "scapi", "instance"  # the names of the tokens, and of the doors that they open
VENDOR = ".api.commercecloud.salesforce.com"
LOGIN = "https://account.demandware.com"
PATH = "/dwsso/oauth2/access_token"
SCOPES = ("sfcc.orders.rw", "sfcc.products")
MARGIN = 120  # seconds before its end that a token is bought anew


def login_url(account: Account) -> str:
    """Account Manager for the vendor's host; elsewhere (a simulator) the account's own host or setting."""
    own = str(account.settings.get("login_url", "")).rstrip("/")
    if own:
        return own
    host = urlsplit(account.base_url).hostname or ""
    return LOGIN if host.endswith(VENDOR) else account.base_url.rstrip("/")


def tenant(account: Account) -> str:
    """The organization less its prefix: f_ecom_zzxy_prd is the tenant zzxy_prd."""
    return str(account.settings.get("organization", "")).removeprefix("f_ecom_")


def access_token(http: Http, account: Account, door: str) -> tuple[str, float]:
    """A bearer token for one door and the seconds it may be used. Raises Unauthorized where the client is refused."""
    scope = {"scope": f"SALESFORCE_COMMERCE_API:{tenant(account)} {' '.join(SCOPES)}"} if door == SCAPI else {}
    form = {"grant_type": "client_credentials", **scope}
    asking = replace(http, hosts=(*http.hosts, login_url(account)))
    headers = {"authorization": f"Basic {_basic(account)}"}
    url = f"{login_url(account)}{PATH}"
    answer = asking.call("POST", url, operation="oauth.token", form=form, headers=headers, secret=True)
    if answer.status in (400, 401, 403):
        raise _refused(answer.json())
    found = trouble(answer)
    if found is not None:
        raise found
    body = answer.json()
    if not isinstance(body, Mapping) or not body.get("access_token"):
        raise Transient("Account Manager answered a token request without a token.", code="unreadable_answer")
    return str(body["access_token"]), max(1.0, float(body.get("expires_in", 1799)) - MARGIN)


def _basic(account: Account) -> str:
    """Form-encoded before they are joined (RFC 6749, 2.3.1), as the vendor's own tool does: a secret may hold a colon."""
    pair = (quote_plus(str(account.credentials[name])) for name in ("client_id", "client_secret"))
    return base64.b64encode(":".join(pair).encode()).decode()


def _refused(body: Any) -> Unauthorized:
    said = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    return Unauthorized(
        f"Account Manager gives no access token ({said or 'refused'}).",
        code=said or "unauthorized",
        remedy="Look at the API client in Account Manager: is it enabled, is its secret still good, may it use client "
        f"credentials, has it the scopes {' and '.join(SCOPES)} and a role for this instance?",
        owner="integration desk",
    )
