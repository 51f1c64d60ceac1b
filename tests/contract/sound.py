"""What is wrong with the calls that a connector made: secrets shown, the version left out, a foreign host asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from connectors.kit.account import Account
from connectors.kit.http import Exchange
from tests.contract.cases import Case

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


def unversioned(case: Case, exchanges: Iterable[Exchange]) -> list[str]:
    """Calls that do not name the API version, in their address or a header."""
    version = case.contract.version or case.manifest.version
    said = ((one.operation, " ".join((one.url, *one.request_headers.values()))) for one in exchanges)
    return [operation for operation, text in said if version not in text]


def unmasked(case: Case, exchanges: Iterable[Exchange]) -> list[str]:
    """Where a secret stands in what is kept of a call, or an e-mail address in a place that gets into logs."""
    return [f"{one.operation}: {place}" for one in exchanges for place in (*_secrets(case, one), *_personal(one))]


def _secrets(case: Case, exchange: Exchange) -> Iterable[str]:
    pair = case.contract.webhooks.secrets if case.contract.webhooks else ()
    known = [value for value in (*case.contract.credentials.values(), *pair) if len(value) > 3]
    places = {
        "address": unquote(exchange.url),
        "request headers": " ".join(exchange.request_headers.values()),
        "answer headers": " ".join(exchange.answer_headers.values()),
        "request": exchange.request.decode(errors="replace"),
        "answer": exchange.answer.decode(errors="replace"),
    }
    return (f"a secret in the {place}" for place, text in places.items() if any(secret in text for secret in known))


def _personal(exchange: Exchange) -> Iterable[str]:
    places = {"address": unquote(exchange.url), "headers": " ".join(exchange.request_headers.values())}
    return (f"an e-mail address in the {place}" for place, text in places.items() if EMAIL.search(text))


def foreign(account: Account, exchanges: Iterable[Exchange]) -> list[str]:
    own = urlsplit(account.base_url)[:2]
    return [one.url for one in exchanges if urlsplit(one.url)[:2] != own]
