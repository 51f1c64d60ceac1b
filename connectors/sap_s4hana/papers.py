"""A delivery in SAP, outward or back: found by our name for it, and brought on by the service's functions until its statuses say so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from connectors.kit.errors import Transient
from connectors.kit.writes import ExternalId, Write
from connectors.sap_s4hana.client import WORDS, Client
from connectors.sap_s4hana.odata import Row, etag, rows, text

DONE = "C"  # a status of SAP: completely processed
ITEMS = "to_DeliveryDocumentItem"


@dataclass(frozen=True)
class Papers:
    """Deliveries of one service. `entity` is its header."""

    client: Client
    service: str
    entity: str

    def named(self, name: str) -> list[ExternalId]:
        where = f"DeliveryDocumentBySupplier eq {text(name)}"
        found = self.client.rows(self.service, self.entity, where, order="DeliveryDocument")
        return [str(one["DeliveryDocument"]) for one in found if one.get("DeliveryDocumentBySupplier") == name]

    def items(self, number: ExternalId) -> list[Row]:
        return list(rows(self._header(number, ITEMS).get(ITEMS)))

    def step(self, name: str, number: ExternalId, action: str, status: str) -> Write:
        """A function that ends with a status: it is called where that does not stand yet."""
        return Write(name, send=partial(self._act, number, status, action), find=partial(self._at, number, status))

    def _header(self, number: ExternalId, expand: str = "") -> Row:
        found = self.client.get(self.service, f"{self.entity}({text(number)})", expand)
        if found is None:
            raise Transient(f"The {WORDS[self.service]} cannot be seen yet.", code="not_seen_yet")
        return found

    def _at(self, number: ExternalId, status: str) -> ExternalId | None:
        return number if self._header(number).get(status) == DONE else None

    def _act(self, number: ExternalId, status: str, action: str) -> ExternalId:
        header = self._header(number)
        if header.get(status) != DONE:
            self.client.act(self.service, action, etag(header), DeliveryDocument=number)
        return number
