"""What the customer is told of an order: the letter for each occasion, as plain text and HTML."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Ignored, Reading
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Rejected

POLICY = policy.SMTP.clone(cte_type="7bit")  # no server need offer 8BITMIME
# What we send to: an ASCII mailbox without quotes, comments or anything that could end an SMTP command or header.
MAILBOX = re.compile(
    r"(?=.{3,254}$)(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[^@\s]+)"
)
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to go. `raw` is the whole message with CRLF line ends; the rest is its envelope and its name."""

    message_id: str
    sender: str
    recipient: str
    occasion: str
    raw: bytes


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """Mail tells the hub nothing: nothing is received."""
    return (Ignored("mail is only sent"),)


def letter(account: Account, order: Order, shipment: Shipment | None, occasion: str, key: str, now: datetime) -> Letter:
    """The mail of an occasion, dated `now`. Raises NotOffered without an address, Rejected for one that is none."""
    write = OCCASIONS.get(occasion)
    if write is None:
        raise NotOffered(f"There is no mail for the occasion {occasion}.", code="no_such_mail")
    if not order.email.strip():
        raise NotOffered("The order carries no e-mail address, so nobody is written to.", code="no_address")
    to = mailbox(order.email, "order.email", "Correct the e-mail address in the shop, or edit it here and retry.")
    sender = mailbox(str(account.settings.get("sender", "")), "settings.sender", "Set the account's sender.")
    shop = clean(str(account.settings.get("shop_name", "")))
    told = write(order, shipment)
    mail = EmailMessage(policy=POLICY)
    mail["From"] = _named(shop, sender)
    mail["To"] = _named(_customer(order), to)
    if account.settings.get("reply_to"):
        mail["Reply-To"] = _named(
            shop, mailbox(str(account.settings["reply_to"]), "settings.reply_to", "Set the account's reply_to.")
        )
    mail["Subject"] = clean(told.subject)
    mail["Date"] = now
    mail["Message-ID"] = message_id(key, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Waybill-Subject"] = "/".join(
        _token(part) for part in (order.channel, order.id, shipment.id if shipment else "", occasion)
    )
    mail.set_content(told.plain(shop))
    mail.add_alternative(told.html(shop), subtype="html")
    return Letter(mail["Message-ID"], sender, to, occasion, mail.as_bytes())


def message_id(key: str, sender: str) -> str:
    """The same for the same key, so that a mail sent twice is one to every program that threads by it."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"


def mailbox(address: str, field: str, remedy: str) -> str:
    """The address with its domain in ASCII. Raises Rejected for anything but a plain ASCII mailbox."""
    found = MAILBOX.fullmatch(address.strip(" "))
    domain = _ascii(found["domain"]) if found else ""
    if found is None or not DOMAIN.fullmatch(domain):
        raise Rejected(
            "This is no e-mail address that mail can be sent to.", code="bad_address", field=field, remedy=remedy
        )
    return f"{found.string[: found.start('domain')]}{domain}"


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return ""


def clean(text: str) -> str:
    """One line: controls, line and paragraph separators become spaces, so that no header can be added."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text).split())


def _token(text: str) -> str:
    """An identifier in a header of ours: what is neither letter, digit nor .:#-_ becomes _."""
    return re.sub(r"[^A-Za-z0-9.:#_-]", "_", text)


def _named(name: str, mailbox: str) -> Address:
    user, _, domain = mailbox.rpartition("@")
    return Address(clean(name), user, domain)


def _customer(order: Order) -> str:
    named = order.customer.name if order.customer else ""
    return named or (order.shipping.name if order.shipping else "")


# ---- what is told


@dataclass(frozen=True, slots=True)
class Told:
    """Subject, sentences, and rows of (text, link or "")."""

    subject: str
    greeting: str
    sentences: tuple[str, ...]
    rows: tuple[tuple[str, str], ...] = ()

    def plain(self, shop: str) -> str:
        rows = "\n".join(f"- {text}{f': {link}' if link else ''}" for text, link in self.rows)
        return "\n\n".join(part for part in (self.greeting, *self.sentences, rows, shop) if part) + "\n"

    def html(self, shop: str) -> str:
        said = "".join(f"<p>{html.escape(sentence)}</p>\n" for sentence in (self.greeting, *self.sentences))
        rows = "".join(f"<li>{_linked(text, link)}</li>\n" for text, link in self.rows)
        listed = f"<ul>\n{rows}</ul>\n" if rows else ""
        title = html.escape(clean(self.subject))
        head = f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        return f"<!doctype html>\n{head}\n<body>{said}{listed}<p>{html.escape(shop)}</p></body></html>\n"


def _linked(text: str, link: str) -> str:
    return f'<a href="{html.escape(link, quote=True)}">{html.escape(text)}</a>' if link else html.escape(text)


def _shipped(order: Order, shipment: Shipment | None) -> Told:
    number = clean(order.number)
    parcels = tuple(
        (f"{clean(t.carrier) or 'Tracking'} {clean(t.number)}", _safe(t.url))
        for t in (shipment.trackings if shipment else ())
    )
    all_ = "Part of your" if shipment and _is_part(order, shipment) else "Your"
    follow = ("You can follow it here:",) if parcels else ("There is no tracking number for it.",)
    return Told(
        f"{all_} order {number} is on its way",
        _hello(order),
        (f"{all_} order {number} has left our warehouse.", *follow),
        _goods(order, shipment) + parcels,
    )


def _is_part(order: Order, shipment: Shipment) -> bool:
    wanted = sum(line.current_quantity for line in order.lines if line.requires_shipping and not line.components)
    return sum(line.quantity for line in shipment.lines) < wanted


def _refunded(order: Order, shipment: Shipment | None) -> Told:
    """The newest refund's total as the customer sees it, in whole minor units (half up); no sum where the order
    tells none."""
    number = clean(order.number)
    newest = max(order.refunds, key=lambda refund: (refund.at is not None, refund.at, refund.id), default=None)
    sum_ = f"We have refunded {_seen(newest.total).rounded()}" if newest else "We have made a refund"
    return Told(
        f"Refund for your order {number}",
        _hello(order),
        (f"{sum_} for your order {number}.", "It reaches you the way you paid."),
    )


def _cancelled(order: Order, shipment: Shipment | None) -> Told:
    number = clean(order.number)
    return Told(
        f"Your order {number} is cancelled", _hello(order), (f"Your order {number} is cancelled and will not be sent.",)
    )


def _ready(order: Order, shipment: Shipment | None) -> Told:
    """What waits, where, and what to show for it."""
    number = clean(order.number)
    place = f" at {clean(shipment.location)}" if shipment and shipment.location else ""
    code = clean(shipment.collection_code) if shipment else ""
    show = (f"Show this code there: {code}",) if code else ("Bring the number of your order.",)
    return Told(
        f"Your order {number} is ready to be fetched",
        _hello(order),
        (f"Your order {number} waits for you{place}.", *show),
        _goods(order, shipment),
    )


def _goods(order: Order, shipment: Shipment | None) -> tuple[tuple[str, str], ...]:
    """The pieces of a shipment, by their titles."""
    titles = {line.id: line.title for line in order.lines} | {line.sku: line.title for line in order.lines}
    return tuple(
        (f"{_count(line.quantity)} x {clean(titles.get(line.line_id) or titles.get(line.sku) or line.sku)}", "")
        for line in (shipment.lines if shipment else ())
    )


def _hello(order: Order) -> str:
    name = clean(_customer(order))
    return f"Hello {name}," if name else "Hello,"


def _seen(bag: MoneyBag) -> Money:
    return bag.presentment or bag.shop


def _count(quantity: Any) -> str:
    return f"{quantity.normalize():f}"


def _safe(url: str) -> str:
    """A link only where it is a web address on one line."""
    return url if re.fullmatch(r"https?://[^\s<>\"']+", url) else ""


OCCASIONS: Mapping[str, Callable[[Order, Shipment | None], Told]] = {
    "shipped": _shipped,
    "refunded": _refunded,
    "cancelled": _cancelled,
    "ready_for_pickup": _ready,
}
