"""Catalogues: items and prices of an account that keeps them (an ERP), looked at for what changed, and now and then as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import structlog
from sqlalchemy import text

from app.accounts import entries
from app.bell import ring
from app.catalogue import items, looks, told_prices
from app.catalogue.items import Told
from app.catalogue.looks import Look
from app.database import transaction
from connectors.canonical.product import Price, Product
from connectors.kit.capabilities import CatalogueSource
from connectors.kit.errors import Missing, Rejected, Trouble, Unreadable
from tasks.engine.connecting import counted
from tasks.receive import UNFORESEEN

log = structlog.get_logger("catalogue")

BATCH = 100  # items read in one go, with their prices, and kept in one commit
AWAY = text("SELECT 1 FROM account_state WHERE account = :account AND (paused OR breaker <> 'closed')")
REFUSED = (Rejected, Unreadable, Missing)


def run() -> str:
    """Goes on with each look that is open, and begins those that are due. One that does not answer keeps no other waiting."""
    names = [name for name in looks.sources() if entries.entry(name).base_url]
    with ThreadPoolExecutor(max(1, min(8, len(names)))) as crowd:
        found = {name: crowd.submit(look, name) for name in names}
    return "; ".join(f"{name}: {said}" for name, one in found.items() if (said := _said(name, one)))


def _said(name: str, one: Future[str]) -> str:
    stumbled = one.exception()
    if stumbled is None:
        return one.result()
    log.error("a catalogue cannot be looked at", account=name, exc_info=stumbled)
    return f"stumbled: {type(stumbled).__name__}"


def look(account: str) -> str:
    """The next look at one account, or what is left of the one before; '' where none is due. What it said so far is kept when it breaks off."""
    with transaction() as tx:
        away = tx.execute(AWAY, {"account": account}).scalar() is not None
        one = None if away else looks.begin(tx, account)
    if one is None:
        return ""
    try:
        with counted(account) as source:
            for batch in _batched(source.products(one.since)):
                _take(one, source, batch)
    except Trouble as trouble:
        log.warning("catalogue", account=account, code=trouble.code, sentence=trouble.sentence)
        return _later(one, trouble.sentence)
    except UNFORESEEN as defect:
        log.error("a catalogue cannot be read", account=account, exc_info=defect)
        return _later(one, f"a fault of ours ({type(defect).__name__})")
    with transaction() as tx:
        made = looks.end(tx, one)
    return f"{one.kind} look done" + (f", run {made}" if made else "")


def _later(one: Look, why: str) -> str:
    with transaction() as tx:
        looks.stumbled(tx, one, why)
    return why


def _batched(products: Iterable[Product]) -> Iterator[list[Product]]:
    rest = iter(products)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _take(one: Look, source: CatalogueSource, batch: Sequence[Product]) -> None:
    """Items first, since prices are asked for by their cross references; then they are read whole, and a successor passes over them."""
    told = [Told(product, source.code_of(product)) for product in batch]
    with transaction() as tx:
        if not looks.still(tx, one.id):
            return
        new = items.unread(tx, one.account, one.id, told)
        taken = items.take(tx, one.account, new)
        looks.passed(tx, one.id, mapped=taken.mapped, blocked=taken.blocked)
    ring(taken.rings)
    asked = _asked(one.account, source, [each.product.sku for each in new if each.product.active and each.product.sku])
    found = [price for _, prices in asked for price in prices]
    with transaction() as tx:
        if not looks.still(tx, one.id):
            return
        left = items.unread(tx, one.account, one.id, new)
        many = told_prices.take(tx, one.account, [sku for sku, _ in asked], found) if left else 0
        items.read(tx, one.account, one.id, left)
        active = sum(bool(each.product.active and each.product.sku) for each in new)
        looks.passed(
            tx, one.id, items=len(left), prices=many, unread=active - len(asked) if _priced(one.account) else 0
        )


def _priced(account: str) -> bool:
    return bool(looks.rule(account)["prices"]) and "prices" not in entries.manifest(account).absent


def _asked(account: str, source: CatalogueSource, skus: Sequence[str]) -> list[tuple[str, list[Price]]]:
    """Each SKU whose prices were told, with them. Where many are refused at once each is asked for by itself: what one lacks
    keeps no other's price away, and its own stays as it was."""
    if not skus or not _priced(account):
        return []
    try:
        told = list(source.prices(skus))
    except REFUSED as refused:
        log.warning("prices", account=account, skus=len(skus), code=refused.code, sentence=refused.sentence)
        return [] if len(skus) == 1 else [one for sku in skus for one in _asked(account, source, [sku])]
    return [(sku, [price for price in told if price.sku == sku]) for sku in skus]
