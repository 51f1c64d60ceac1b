"""What a shop must have settled before its first order: an administrator, and the cross references."""

from sqlalchemy import Connection

from app import bell
from app.catalogue import codes
from app.database import transaction
from app.web.people import ensure_admin
from local.story.catalogue import ARTICLES, ERP_CODES, NEW, SHOP_CODES, TRYTON_CODES
from tasks.engine.connecting import limiter
from tasks.feeds.watch import mend

WHO = "make run"


def seed(erp: str) -> None:
    """Adds what is missing; what is there already stays as people left it. `erp`: the account that keeps the orders."""
    ensure_admin()
    with transaction() as tx:
        for ours, theirs in _items(erp):
            _add(tx, erp, "sku", ours, theirs)
        for kind, rows in (ERP_CODES if erp == "netsuite-main" else TRYTON_CODES).items():
            for ours, theirs in rows:
                _add(tx, erp, kind, ours, theirs)
        for kind, rows in SHOP_CODES.items():
            for ours, theirs in rows:
                _add(tx, "shopify-main", kind, ours, theirs)


def warm(erp: str) -> None:
    """At a start that we supervise no call is under way anywhere, so the limiter's buckets need not begin empty."""
    for account in ("shopify-main", erp, "shipbob-main", "mail"):
        limiter().warm(account)


def subscribe() -> None:
    """Registers the shop's webhooks where they are missing; the warehouse was told our address when it was set up."""
    mend("shopify-main")


def _items(erp: str) -> list[tuple[str, str]]:
    return [(article.sku, erp_name(erp, article.sku, article.erp)) for article in ARTICLES]


def erp_name(erp: str, sku: str, number: str) -> str:
    """NetSuite knows items by number, Tryton by the code that is our SKU."""
    return number if erp == "netsuite-main" else sku


def map_new_article(erp: str) -> None:
    """What a person does when orders wait for a mapping: adds it, and the orders go on by themselves."""
    with transaction() as tx:
        rings = codes.add(tx, erp, "sku", NEW.sku, erp_name(erp, NEW.sku, NEW.erp), WHO)
    bell.ring(rings)


def _add(tx: Connection, account: str, kind: str, ours: str, theirs: str) -> None:
    if not codes.exists(tx, account, kind, ours):
        codes.add(tx, account, kind, ours, theirs, WHO)
