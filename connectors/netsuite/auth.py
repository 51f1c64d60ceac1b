"""An access token of NetSuite is bought with an assertion that the account's private key signed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.kit.account import Account
from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Http
from connectors.kit.verdicts import trouble

PATH = "/services/rest/auth/oauth2/v1/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = ("rest_webservices",)
LIFE = 300  # seconds an assertion is good for; NetSuite allows less than an hour (section_162755359851)
MARGIN = 60  # seconds before its end that a token is bought anew
CURVES = {256: "ES256", 384: "ES384", 521: "ES512"}


def access_token(http: Http, account: Account) -> tuple[str, float]:
    """A bearer token and the seconds it may be used. Raises Unauthorized where the key, client or certificate
    is refused.
    """
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": assertion(account, time.time()),
    }
    answer = http.call("POST", PATH, operation="oauth.token", form=form, secret=True)
    if answer.status in (400, 401, 403):
        raise _refused(answer.json())
    found = trouble(answer)
    if found is not None:
        raise found
    body = answer.json()
    if not isinstance(body, Mapping) or not body.get("access_token"):
        raise Transient("NetSuite answered a token request without a token.", code="unreadable_answer")
    return str(body["access_token"]), max(1.0, float(body.get("expires_in", 3600)) - MARGIN)


def _refused(body: Any) -> Unauthorized:
    said = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    return Unauthorized(
        f"NetSuite gives no access token ({said or 'refused'}).",
        code=said or "unauthorized",
        remedy="Look at Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup: "
        "the certificate's mapping, its end, the client id. "
        "A refreshed sandbox has lost its mapping.",
        owner="integration desk",
    )


def assertion(account: Account, now: float) -> str:
    """The signed JWT: PS256 with an RSA key, ES256/384/512 with an EC key (NetSuite takes no RS256)."""
    claims = {
        "iss": account.credentials["client_id"],
        "scope": list(SCOPE),
        "aud": account.base_url.rstrip("/") + PATH,
        "iat": int(now),
        "exp": int(now) + LIFE,
    }
    key = _private_key(account)
    algorithm = CURVES[key.curve.key_size] if isinstance(key, EllipticCurvePrivateKey) else "PS256"
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": account.credentials["certificate_id"]})


def _private_key(account: Account) -> RSAPrivateKey | EllipticCurvePrivateKey:
    """The account's key; an environment variable may write its line ends as \\n. Raises Unauthorized, never
    showing it.
    """
    pem = account.credentials["private_key"].replace("\\n", "\n").strip().encode()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise Unauthorized(
            f"The private key of {account.name} is not a PEM key.", code="bad_key", owner="integration desk"
        ) from error
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise Unauthorized(
            f"The private key of {account.name} is neither RSA nor EC.", code="bad_key", owner="integration desk"
        )
    return key
