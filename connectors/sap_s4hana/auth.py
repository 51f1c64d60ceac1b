"""Who calls: a communication user by Basic, or by an OAuth 2.0 access token that is bought with its own name and secret.

Client credentials (RFC 6749, 4.4) of a communication arrangement: the client authenticates by Basic at the token service of
the tenant. All workers share one token; it is bought anew before its end, and once where SAP refuses it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from connectors.kit.account import Account, Connection
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import checked

NAME = "access"
BEARER = "Bearer "
PATH = "/sap/bc/sec/oauth2/token"
MARGIN = 60  # seconds before its end that a token is bought anew


def basic(account: Account) -> dict[str, str]:
    """The communication user's own header."""
    pair = f"{account.credentials['user']}:{account.credentials['password']}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


class Login:
    """The header of the communication user, in the way that `authentication` names."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._oauth = connection.account.settings.get("authentication") == "oauth"

    def header(self) -> dict[str, str]:
        """Raises the kit's errors where no token is sold."""
        if not self._oauth:
            return basic(self._connection.account)
        return {"authorization": BEARER + self._connection.tokens.get(NAME, lambda: access_token(self._connection))}

    def refused(self, header: Mapping[str, str]) -> bool:
        """SAP took a header no more: whether another may be had."""
        if self._oauth:
            self._connection.tokens.refused(NAME, header["authorization"].removeprefix(BEARER))
        return self._oauth


def access_token(connection: Connection) -> tuple[str, float]:
    """A bearer token and the seconds it may be used. Raises Unauthorized where the client or its secret is refused."""
    account = connection.account
    url, client = _token_url(account), str(account.settings.get("client", ""))
    scope = str(account.settings.get("scope", ""))
    door = replace(connection.http, hosts=(*connection.http.hosts, url))
    answer = door.call(
        "POST",
        url,
        operation="oauth.token",
        form={"grant_type": "client_credentials", **({"scope": scope} if scope else {})},
        query={"sap-client": client} if client else {},
        headers=basic(account),
        secret=True,
    )
    if answer.status in (400, 401, 403):
        raise _refused(answer)
    told = checked(answer).json()
    if not isinstance(told, Mapping) or not told.get("access_token"):
        raise Transient("SAP answered a token request without a token.", code="unreadable_answer")
    return str(told["access_token"]), max(1.0, float(told.get("expires_in", 3600)) - MARGIN)


def _token_url(account: Account) -> str:
    """The tenant's own token service unless the account names another (an identity service before it)."""
    own = str(account.settings.get("token_url", ""))
    if own:
        return own
    base = urlsplit(account.base_url)
    return f"{base.scheme}://{base.netloc}{PATH}"


def _refused(answer: Answer) -> Unauthorized:
    told = answer.json() if answer.body.strip().startswith(b"{") else None
    said = str(told.get("error", "")) if isinstance(told, Mapping) else ""
    return Unauthorized(
        f"SAP gives no access token ({said or 'refused'}).",
        code=said or "unauthorized",
        remedy="Look at the communication arrangement: is OAuth 2.0 its inbound authentication, is the client id that of its "
        "OAuth 2.0 details, and the secret the communication user's present password?",
        owner="integration desk",
    )
