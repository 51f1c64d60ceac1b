"""Money that a channel owes for pieces that the hub took off an order: somebody is asked to have it given back, until it was."""

from __future__ import annotations

from sqlalchemy import Connection

from app import cases
from app.orders import money, repaying, worth
from app.orders.fulfilments import Fulfilment
from connectors.canonical.order import Order


def ask(tx: Connection, subject: int, old: Order, new: Order, one: Fulfilment) -> None:
    """Where the hub's own refunds do not do it (config/money.toml). Nothing where nothing was taken for them yet."""
    amount = repaying.cancelled(old, new, money.of(tx, subject))
    if money.refunds(new.channel) or amount <= 0:
        return
    cases.open_case(
        tx,
        "money",
        new.channel,
        "refund_owed",
        f"{amount} {worth.currency(new)} are to be given back for {one.number}: its customer did not want these pieces.",
        member=_member(subject),
        subject=subject,
        role="channel",
        cause=f"{subject}",
        remedy="Cancel the pieces in the channel and give the money back there; the case ends by itself once the channel tells of it.",
    )


def look(tx: Connection, subject: int, order: Order) -> None:
    """The channel has told of a refund: nothing is owed once no more was kept than what the customer has or gets is worth."""
    if repaying.above(order, money.of(tx, subject)) <= 0:
        cases.leave(tx, _member(subject))


def _member(subject: int) -> str:
    return f"refund_owed:{subject}"
