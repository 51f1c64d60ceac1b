"""What a shop must have settled before its first order: an administrator, and the cross references."""

from collections.abc import Iterable

from sqlalchemy import Connection

from app.accounts import entries
from app.catalogue import codes
from app.database import transaction
from app.web.people import ensure_admin
from local.story.catalogue import ARTICLES, BY_NUMBER, ERP_CODES, LIFE, SHOP_CODES
from local.story.channels import Channel
from tasks.engine.connecting import limiter
from tasks.feeds.watch import mend

WHO = "make run"
SUPPLIERS = ("maker-main",)


def seed(erp: str, channels: Iterable[Channel] = ()) -> None:
    """Adds what is missing; what is there already stays as people left it. `erp`: the account that keeps the orders; `channels` sell
    beside the web shop."""
    ensure_admin()
    with transaction() as tx:
        for ours, theirs in _items(erp):
            _add(tx, erp, "sku", ours, theirs)
        for kind, rows in ERP_CODES[erp].items():
            for ours, theirs in rows:
                _add(tx, erp, kind, ours, theirs)
        for account, codes_of in (("shopify-main", SHOP_CODES), *((one.account, one.codes) for one in channels)):
            for kind, rows in codes_of.items():
                for ours, theirs in rows:
                    _add(tx, account, kind, ours, theirs)


def warm(erp: str, channels: Iterable[Channel] = ()) -> None:
    """At a start that we supervise no call is under way anywhere, so the limiter's buckets need not begin empty."""
    beside = tuple(one.account for one in channels)
    for account in ("shopify-main", erp, "shipbob-main", "mail", *(SUPPLIERS if beside else ()), *beside):
        limiter().warm(account)


def subscribe(erp: str, channels: Iterable[Channel] = ()) -> None:
    """Registers the webhooks of the shop, and of an ERP and of further channels that have some, where they are missing; the
    warehouse was told our address when it was set up.
    """
    mend("shopify-main")
    beside = tuple(one.account for one in channels)
    for account in (erp, *(SUPPLIERS if beside else ()), *beside):
        if "Subscriber" in entries.manifest(account).offers and entries.entry(account).webhook_secrets:
            mend(account)


def _items(erp: str) -> list[tuple[str, str]]:
    return [(article.sku, erp_name(erp, article.sku, article.erp)) for article in (*ARTICLES, *LIFE)]


def erp_name(erp: str, sku: str, number: str) -> str:
    """What the ERP knows an item by."""
    return number if erp in BY_NUMBER else sku


def _add(tx: Connection, account: str, kind: str, ours: str, theirs: str) -> None:
    if not codes.exists(tx, account, kind, ours):
        codes.add(tx, account, kind, ours, theirs, WHO)
