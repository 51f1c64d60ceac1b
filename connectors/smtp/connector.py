"""Mail as the hub's voice to the customer."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.smtp.client import deliver
from connectors.smtp.mapping import Letter, letter

PRESUMED = "presumed:"


def connect(connection: Connection) -> Mail:
    return Mail(connection)


class Mail:
    """Plays Notifier."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def notify(self, order: Order, shipment: Shipment | None, *, occasion: str, key: str) -> Writes:
        """Writes to the customer; the id is the mail's Message-ID. Raises NotOffered where there is no address to
        write to."""
        made = letter(self._connection.account, order, shipment, occasion, key, self._connection.now())
        return (yield Write("mail", lambda: self._send(made), lambda: self._find(made)))

    def _send(self, made: Letter) -> ExternalId:
        deliver(self._connection.http, made)
        return made.message_id

    def _find(self, made: Letter) -> ExternalId | None:
        """SMTP cannot be asked what became of a mail, so policy answers: not twice (then its id says `presumed:`),
        or not missing."""
        repeat = self._connection.account.settings.get("on_doubt", "skip") == "repeat"
        return None if repeat else f"{PRESUMED}{made.message_id}"
