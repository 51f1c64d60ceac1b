"""An access token lives 30 days and is bought anew with the refresh token that the seller's consent gave (OAuth, code flow).

Source: ../shared/specs/square/api.json, ObtainToken. Square advises a new one at least every 7 days. In the code flow the refresh token stays
the same; that of PKCE is good once only and is not used here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.kit.account import Account
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Http
from connectors.kit.verdicts import trouble

LONGEST = timedelta(days=7).total_seconds()
MARGIN = 300.0  # seconds before its end that a token is bought anew


def access_token(http: Http, account: Account, now: datetime, version: str) -> tuple[str, float]:
    """A bearer token and the seconds it may be used. Raises Unauthorized where the application or the consent is refused."""
    asked = {
        "client_id": account.credentials["application_id"],
        "client_secret": account.credentials["application_secret"],
        "grant_type": "refresh_token",
        "refresh_token": account.credentials["refresh_token"],
    }
    headers = {"square-version": version}
    answer = http.call("POST", "oauth2/token", operation="oauth.token", json=asked, headers=headers, secret=True)
    if answer.status in (400, 401, 403):
        raise Unauthorized(
            "Square gives no access token: the seller's consent was revoked, or the application's secret changed.",
            code="consent",
            remedy="Let the seller authorise the application again, and store the new refresh token.",
            owner="e-commerce",
        )
    found = trouble(answer)
    if found is not None:
        raise found
    return _token(answer.json(), now)


def _token(body: Any, now: datetime) -> tuple[str, float]:
    token = body.get("access_token") if isinstance(body, dict) else None
    if not token:
        raise Transient("Square answered a token request without a token.", code="unreadable_answer")
    ends = datetime.fromisoformat(str(body["expires_at"])) if body.get("expires_at") else now + timedelta(days=1)
    return str(token), max(1.0, min(LONGEST, (ends - now).total_seconds() - MARGIN))
