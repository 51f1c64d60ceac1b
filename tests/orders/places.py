"""A distribution centre, a store that answers by our own API, and a supplier: the rules and stock of the stories about sourcing."""

from __future__ import annotations

from tests.world import World

RULES = """
name = "{name}"
[limits]
split = {split}
rounds = 3
[weights]
cost = 1
split = 2
[locations.dc]
kind = "dc"
account = "warehouse"
stock = {{ account = "warehouse", location = "main" }}
cost = "3.00"
[locations.store]
kind = "store"
stock = {{ account = "pos", location = "store" }}
cost = "{store}"
pickup = true
answers_within = 3600
keeps_for = 7200
[locations.maker]
kind = "supplier"
account = "maker"
stock = {{ account = "maker", location = "maker" }}
cost = "9.00"
"""


def text(name: str = "tests", split: int = 3, store: str = "4.00") -> str:
    return RULES.format(name=name, split=split, store=store)


def shelves(acme: World, **there: int) -> None:
    """dc_WB_TEE=3: what lies where."""
    from sqlalchemy import text as sql

    from app.database import transaction

    accounts = {"dc": ("warehouse", "main"), "store": ("pos", "store"), "maker": ("maker", "maker")}
    with transaction() as tx:
        for name, many in there.items():
            place, sku = name.split("_", 1)
            account, location = accounts[place]
            row = {"account": account, "location": location, "sku": sku.replace("_", "-"), "many": many}
            tx.execute(
                sql(
                    "INSERT INTO shelves (account, sku, location, told, version) VALUES (:account, :sku, :location, :many, '1') "
                    "ON CONFLICT (sku, location) DO UPDATE SET told = excluded.told, account = excluded.account"
                ),
                row,
            )


def in_force(rules: str) -> int:
    from app.database import transaction
    from app.orders import rules as kept

    with transaction() as tx:
        made = kept.keep(tx, rules, "anna")
        kept.activate(tx, made, "anna", "the stories need it")
    return made
