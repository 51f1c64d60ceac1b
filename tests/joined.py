"""A further system in a story's world: it joins the hub's accounts, its polls come due, the warehouse sends what it sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import text

from tests.world import World, fresh_process, warm


def join(made: World, names: tuple[str, ...], accounts: str = "", routes: str = "", skus: Sequence[str] = ()) -> None:
    """Accounts and routes (TOML) are added to the world's own, and the hub starts anew: the accounts of these `names` may be called at once,
    and the ERP knows the SKUs by the same name."""
    for file, words in (("accounts", accounts), ("routes", routes)):
        with (made.folder / f"{file}.toml").open("a") as kept:
            kept.write(words)
    anew()
    warm(names)
    for sku in skus:
        made.code("erp", "sku", sku, sku)


def anew() -> None:
    """The hub starts anew, and reads its configuration again."""
    from app.database import engine

    engine().dispose()
    fresh_process()


def look() -> str:
    """The next window of every poll has come; what the poll says."""
    from app.database import transaction
    from tasks.feeds import poll

    with transaction() as tx:
        tx.execute(text("UPDATE cursors SET at = at - interval '1 day'"))
    return poll.run()


def ship(made: World, order: str, lines: Sequence[Mapping[str, str]] = ()) -> None:
    """The warehouse sends a parcel of an order (a channel's id) with these lines, or with all, and its webhook arrives."""
    reference = made.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order)
    asked = {"lines": list(lines)} if lines else {}
    parcel = made.ask("warehouse", "POST", f"/_sim/requests/{reference}/shipments", json=asked)
    made.deliver("shipment.sent", parcel, account="warehouse")
    made.pump()
