"""Webhook subscriptions of a simulated tenant: the handshake, their three days, and what they send."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from connectors.business_central.simulator_fields import examine, shown
from connectors.business_central.simulator_refusals import Refused, changed, no_token, nobody
from connectors.kit.simulator import Memory

MOST = 200  # subscriptions of an environment
SUPPORTED = frozenset(
    "accounts companyInformation countriesRegions currencies customerPaymentJournals customers dimensions employees "
    "generalLedgerEntries itemCategories items journals paymentMethods paymentTerms purchaseInvoices salesCreditMemos "
    "salesInvoices salesOrders salesQuotes shipmentMethods unitsOfMeasure vendors".split()
)
SECONDS = 5


@dataclass
class Hooks:
    memory: Memory
    days: float = 3.0

    def all(self) -> list[dict[str, Any]]:
        """Those that have not run out."""
        now = _now()
        rows = [one for one in self.memory.table("subscriptions").values() if one is not None]
        return [shown("subscription", one) for one in rows if one["expirationDateTime"] > now]

    def create(self, body: Any, company: str) -> dict[str, Any]:
        examine("subscription", body)
        self._supported(str(body.get("resource", "")), company)
        if len(self.all()) >= MOST:
            raise Refused("The maximum number of subscriptions is reached.")
        self._handshake(str(body.get("notificationUrl", "")))
        return self._keep({**body, "subscriptionId": uuid.uuid4().hex})

    def renew(self, key: str, body: Any, etag: str) -> dict[str, Any]:
        """PATCH: shakes hands again and lives three days from now."""
        old = self._matched(key, etag)
        examine("subscription", body or {})
        self._handshake(str((body or {}).get("notificationUrl", old["notificationUrl"])))
        return self._keep({**old, **(body or {})})

    def delete(self, key: str, etag: str) -> None:
        self._matched(key, etag)
        self.memory.put("subscriptions", key, None)

    def _matched(self, key: str, etag: str) -> Mapping[str, Any]:
        old: Mapping[str, Any] | None = self.memory.table("subscriptions").get(key)
        if old is None:
            raise nobody("subscription", key)
        if not etag:
            raise no_token()
        if etag not in ("*", old["etag"]):
            raise changed()
        return old

    @staticmethod
    def _supported(resource: str, company: str) -> None:
        start = f"/api/v2.0/companies({company})/"
        if not resource.lower().startswith(start.lower()) or resource[len(start) :] not in SUPPORTED:
            raise Refused(f"The resource '{resource}' does not support webhooks.", "BadRequest")

    @staticmethod
    def _handshake(url: str) -> None:
        """POST ?validationToken=...: 200 with the token in the body, or there is no subscription."""
        token = secrets.token_urlsafe(24)
        try:
            told = _session().post(url, params={"validationToken": token}, timeout=SECONDS)
        except requests.RequestException:
            told = None
        if told is None or told.status_code != 200 or told.text.strip() != token:
            raise Refused("The subscription validation request failed.", "BadRequest")

    def _keep(self, record: dict[str, Any]) -> dict[str, Any]:
        ends = datetime.now(UTC) + timedelta(days=self.days)
        etag = f'W/"{self.memory.next_id("etags", 1001)}"'
        whole = {**record, "etag": etag, "expirationDateTime": _text(ends), "lastModifiedDateTime": _now()}
        self.memory.put("subscriptions", record["subscriptionId"], whole)
        return shown("subscription", whole)

    def notify(self, entity: str, key: str, company: str, change: str = "updated") -> list[int]:
        """Sends one notification to whoever subscribed to the entity; an answer outside 2xx, 408, 429 and 5xx ends the
        subscription. The statuses that came back.
        """
        told = []
        for one in [row for row in self.memory.table("subscriptions").values() if row is not None]:
            if one["resource"].endswith(f"/{entity}") and one["expirationDateTime"] > _now():
                told.append(self._send(one, f"api/v2.0/companies({company})/{entity}({key})", change))
        return told

    def _send(self, one: Mapping[str, Any], resource: str, change: str) -> int:
        value = {
            "subscriptionId": one["subscriptionId"],
            "clientState": one.get("clientState", ""),
            "expirationDateTime": one["expirationDateTime"],
            "resource": resource,
            "changeType": change,
            "lastModifiedDateTime": _now(),
        }
        status = _session().post(one["notificationUrl"], json={"value": [value]}, timeout=SECONDS).status_code
        if not 200 <= status < 300 and status not in (408, 429) and status < 500:
            self.memory.put("subscriptions", one["subscriptionId"], None)
        return status


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
