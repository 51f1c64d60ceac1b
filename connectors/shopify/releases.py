"""What was authorised at Shopify, and not taken of, is released; what is left of a partly taken one runs out by itself.

transactionVoid takes no key: a void is recognised by its authorisation, of which there is one.
Source: https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/transactionVoid
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.writes import ExternalId, Write
from connectors.shopify import documents, unlisted
from connectors.shopify.client import OWNER, Client, Row, accepted
from connectors.shopify.ids import gid, short
from connectors.shopify.money import FAILED, seen


@dataclass(frozen=True)
class Release:
    client: Client
    order: Order
    payment: Payment

    def write(self) -> Write:
        """Raises NotOffered for an authorisation that was taken of."""
        return Write("void", send=self._send, find=self._find, links=(("void", self.payment.id),))

    def _send(self) -> ExternalId:
        rows = self._rows()
        parent = self._parent(rows)
        if any(self._uses(one, parent, "CAPTURE") for one in rows):
            words = "Shopify voids no authorisation that was taken of: what is left of it runs out by itself."
            raise NotOffered(words)
        made = accepted(self.client.ask(documents.VOID, parent=parent), f"the release for {self.order.number}")
        if made["transaction"]["status"] in FAILED:
            words = f"The payment provider declined to release the authorisation of {self.order.number}."
            remedy = "Nothing more is taken of it: it runs out by itself, or let the provider release it."
            raise Rejected(words, code="declined", remedy=remedy, owner="finance")
        return short(made["transaction"]["id"])

    def _find(self) -> ExternalId | None:
        rows = self._rows()
        parent = self._parent(rows)
        return next((short(one["id"]) for one in rows if self._uses(one, parent, "VOID")), None)

    def _parent(self, rows: list[Row]) -> str:
        return gid("OrderTransaction", unlisted.held_by(self.payment, rows, seen(self.payment.amount).amount))

    def _uses(self, row: Row, parent: str, kind: str) -> bool:
        mine = (row["parentTransaction"] or {}).get("id") == parent
        return bool(row["kind"] == kind and mine and row["status"] not in FAILED)

    def _rows(self) -> list[Row]:
        state = self.client.ask(documents.TRANSACTIONS, id=gid("Order", self.order.id))
        if state is None:
            words = f"Shopify does not know the order {self.order.number}."
            raise Rejected(words, code="unknown_order", field="id", owner=OWNER)
        return list(state["transactions"])
