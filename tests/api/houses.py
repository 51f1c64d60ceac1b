"""A distribution centre, two stores and a supplier beside the market: who is asked for what, and what each says by the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from tests.api.conftest import Market, Partner, order

RULES = """
name = "houses"
[limits]
split = 3
rounds = 3
[weights]
cost = 1
split = 2
[locations.dc]
kind = "dc"
account = "warehouse"
stock = { account = "warehouse", location = "main" }
cost = "3.00"
[locations.alpha]
kind = "store"
stock = { account = "pos", location = "alpha" }
cost = "4.00"
pickup = true
answers_within = 3600
keeps_for = 7200
[locations.beta]
kind = "store"
stock = { account = "pos", location = "beta" }
cost = "5.00"
[locations.maker]
kind = "supplier"
stock = { account = "maker", location = "maker" }
cost = "9.00"
purchases = true
answers_within = 3600
"""
KEPT = {"deliveries": [{"id": "d", "kind": "pickup", "location": "alpha", "pickup_person": "Bo Friend"}]}


@dataclass
class Houses:
    """The market with stores and a supplier: each has a key for its own place."""

    market: Market
    alpha: Partner
    beta: Partner
    maker: Partner

    @property
    def world(self) -> Any:
        return self.market.world

    def shelf(self, place: str, **there: int) -> None:
        from app.database import transaction

        row = {"place": place, "account": {"dc": "warehouse", "maker": "maker"}.get(place, "pos")}
        with transaction() as tx:
            for sku, many in there.items():
                tx.execute(
                    text(
                        "INSERT INTO shelves (account, sku, location, told, version) VALUES (:account, :sku, :place, :many, '1') "
                        "ON CONFLICT (sku, location) DO UPDATE SET told = excluded.told, account = excluded.account"
                    ),
                    {**row, "place": "main" if place == "dc" else place, "sku": f"WB-{sku.upper()}", "many": many},
                )

    def place(self, **more: Any) -> str:
        waybill = self.market.mine.place(order(**more))
        self.world.pump()
        return waybill

    def follow(self) -> None:
        from tasks.feeds import fulfilled

        fulfilled.run()
        self.world.pump()

    def says(self, who: Partner, number: str, word: str, body: Any = None, key: str = "", status: int = 200) -> Any:
        answer = who.ask("POST", f"/fulfilments/{number}/{word}", body, key)
        assert answer.status_code == status, answer.json
        self.follow()
        return answer.json

    def refuses(self, who: Partner, number: str, word: str, body: Any = None) -> str:
        told = self.says(who, number, word, body, status=409)
        return str(told["type"]).removeprefix("urn:waybill:problem:")

    def waits(self, who: Partner) -> list[Any]:
        return list(who.ask("GET", "/fulfilments").json["fulfilments"])

    def where(self, waybill: str) -> Any:
        return self.market.mine.ask("GET", f"/orders/{waybill}").json

    def legs(self) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.world.rows("SELECT location, state FROM fulfilments ORDER BY id")]

    def audited(self, action: str) -> list[tuple[str, str]]:
        rows = self.world.rows("SELECT who, reason FROM audit WHERE action = :action ORDER BY id", action=action)
        return [tuple(row) for row in rows]

    def hour_passes(self) -> None:
        from app.database import transaction

        with transaction() as tx:
            tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 second' WHERE state = 'open'")
