"""How values are shown: times as ages, money with its currency, bodies indented and masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import simplejson
from flask import Flask
from markupsafe import Markup

from app import scrub
from app.journal.reading.words import action, span
from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.canonical.order import Order

LONGEST = 200_000  # characters of a body on a page


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        ago=ago,
        moment=moment,
        money=money,
        amount=amount,
        action=action,
        span=span,
        quantity=quantity,
        plain=plain,
        prose=prose,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def ago(at: datetime | None) -> Markup | str:
    """A moment as an age; the exact time stands behind it."""
    if at is None:
        return "never"
    age = (datetime.now(UTC) - at).total_seconds()
    words = "just now" if -2 < age < 2 else (f"{span(age)} ago" if age > 0 else f"in {span(-age)}")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), moment(at), words)


def amount(value: Decimal | None, currency: str | None) -> str:
    if value is None or not currency:
        return ""
    unit = minor_unit(currency)
    exact = value.quantize(unit) if value == value.quantize(unit) else value.normalize()
    return f"{exact:,f} {currency}"


def money(value: Money | MoneyBag | None) -> str:
    if value is None:
        return ""
    shop = value.shop if isinstance(value, MoneyBag) else value
    return amount(shop.amount, shop.currency)


def quantity(value: Decimal) -> str:
    return f"{value.normalize():f}"


def plain(name: str) -> str:
    """A code's name as words: `partly_shipped` is "partly shipped"."""
    return name.replace("_", " ")


def prose(text: str) -> Markup:
    """A line of our own documentation: `code` and addresses are marked as such, all else is text."""
    return Markup("").join(_marked(part) for part in MARKED.split(text))


def _marked(part: str) -> Markup | str:
    if part.startswith("`") and part.endswith("`") and len(part) > 1:
        return Markup("<code>{}</code>").format(part[1:-1])
    if part.startswith(("https://", "http://")):
        return Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(part)
    return part


MARKED = re.compile(r"""(`[^`]+`|https?://[^\s`<>()"']*[^\s`<>()"'.,;:])""")


def body(raw: bytes | None, personal: bool) -> str:
    """A body to read: JSON indented, secrets masked always, what tells of a person only without the right to see it."""
    if not raw:
        return ""
    try:
        tree = simplejson.loads(raw, use_decimal=True)
    except (ValueError, RecursionError):
        text = raw.decode("utf-8", "replace")[:LONGEST]
        return text if personal else f"({len(raw)} bytes that are not JSON; the support role can read them)"
    return simplejson.dumps(masked(tree, personal), indent=2, use_decimal=True, ensure_ascii=False)[:LONGEST]


def masked(tree: Any, personal: bool, name: str = "") -> Any:
    """A JSON tree without secrets, and without personal data unless `personal`; `name` is the field it stands under.

    Without the right to see them, text is shown only under names known to be harmless: a vendor may call an address anything.
    """
    if isinstance(tree, Mapping):
        return {key: masked(item, personal, str(key)) for key, item in tree.items()}
    if isinstance(tree, list):
        return [masked(item, personal, name) for item in tree]
    if name and scrub.SECRET.search(name):
        return scrub.MASK
    if personal or tree is None or isinstance(tree, bool):
        return tree
    return _harmless(tree, WORDS.sub("_", name).lower())


def _harmless(value: Any, name: str) -> Any:
    if PERSON.search(name) or (isinstance(value, str) and value and not HARMLESS.search(name)):
        return scrub.MASK
    return scrub.EMAIL.sub(scrub.MASK, value) if isinstance(value, str) else value


WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # shipToAddress: ship_to_address
HARMLESS = re.compile(
    r"(^|_)(ids?|gid|skus?|code|status|state|type|kind|topic|event|currency|quantity|qty|amount|price|value|totals?|sub|tax|"
    r"rate|discount|number|reference|key|at|on|date|time|timestamp|version|operation|errors?|message|field|path|reason|"
    r"occasion|carrier|tracking|service|method|location|line|item|unit|title|source|query|detail|grant|scope|links?|rel|"
    r"href|channel|country|booking|order|request|shipment|acknowledged_as|body)$"
)
PERSON = re.compile(
    r"mail|phone|fax|(^|_)name$|first_|last_|company|customer$|recipient|addr|postal|postcode|zip|city|province|region|street|"
    r"latitude|longitude|birth|note|browser_ip|user_agent|contact|buyer|consignee|^to$|^ip$|gift"
)


def hidden(text: str, personal: bool) -> str:
    """A person's word for those who may see it, else a mask that keeps its first letter."""
    if personal or not text:
        return text
    return f"{text[0]}***"


def equation(order: Order) -> list[tuple[str, str, Money]]:
    """The money equation as rows of (sign, name, amount); parts that are nothing are left out."""
    from connectors.canonical.gate import equation as parts

    sums = parts(order)
    rows = [
        ("", "lines", sums.lines),
        ("\N{MINUS SIGN}", "discounts", sums.discounts),
        ("+", "shipping", sums.shipping),
        ("+", "fees", sums.fees),
        ("+", "tips", sums.tips),
        ("+", "duties", sums.duties),
        ("+", "tax not included", sums.tax_not_included),
        ("+", "rounding", sums.rounding),
    ]
    kept = [row for row in rows if row[2] or row[1] == "lines"]
    return [*kept, ("=", "total", sums.total)]
