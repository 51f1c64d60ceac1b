"""A world whose shop takes prices, and a server in whose folder somebody lays files of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from local import files as sftp
from tests.joined import join
from tests.world import World, world

ACCOUNT = """
[prices]
connector = "sftp"
base_url = "sftp://127.0.0.1:{port}/prices"
timeout = 5.0
credentials = {{ username = "TESTS_SFTP_USER", secret = "TESTS_SFTP_SECRET" }}
settings = {{ host_key = "{key}" }}
"""
ROUTE = """
[[route]]
name = "prices"
kind = "price"
roles = { publish = ["shop"] }
"""
POLICY = """
[default]
zone = "Europe/Berlin"
currencies = ["EUR"]
known_skus = true
most_change = "0.5"
drop = "0.1"
refused = "0.3"
"""


@dataclass
class Feed:
    """Files go in at `server`; what becomes of them is seen in `world`."""

    world: World
    server: sftp.Server

    def send(
        self, name: str, *lines: str, head: str = "sku,price,currency,list,compare_at,from,until,promotion"
    ) -> None:
        self.server.put(name, "\n".join((head, *lines)) + "\n")

    def look(self) -> None:
        """Two looks: the first only sees that it is there."""
        from tasks.feeds import prices

        prices.run()
        prices.run()
        self.world.pump()

    def minute(self) -> None:
        """A minute begins, and what it changed is told."""
        from tasks.feeds import prices

        prices.activate()
        prices.publish()
        self.world.pump()

    def take(self, name: str, *lines: str, **more: Any) -> str:
        """A file comes, is read and in force; the state of its run."""
        self.send(name, *lines, **more)
        self.look()
        self.minute()
        return self.state(name)

    def state(self, name: str) -> str:
        return str(
            self.world.one("SELECT state FROM price_runs WHERE file = :name ORDER BY id DESC LIMIT 1", name=name)
        )

    def run(self, name: str) -> int:
        return int(self.world.one("SELECT max(id) FROM price_runs WHERE file = :name", name=name))

    def prices(self) -> dict[str, str]:
        """What is in force: SKU -> amount, and what it is reduced from."""
        rows = self.world.rows("SELECT sku, amount, compare_at FROM prices ORDER BY sku, currency, min_quantity")
        return {
            row.sku: _said(row.amount) + (f" was {_said(row.compare_at)}" if row.compare_at else "") for row in rows
        }

    def shown(self) -> dict[str, str]:
        """What the shop shows."""
        rows = self.world.ask("shop", "GET", "/_sim/state").get("priced", {})
        return {
            sku: row["amount"] + (f" was {row['compare_at']}" if row.get("compare_at") else "")
            for sku, row in rows.items()
        }

    def write(self, statement: str, **values: Any) -> None:
        from app.database import transaction

        with transaction() as tx:
            tx.execute(text(statement), values)

    def later(self, **interval: int) -> None:
        """So much time passes for the runs: everything that they hold lies so much further back."""
        name, many = next(iter(interval.items()))
        ago = f"interval '{many} {name}'"
        self.write(f"UPDATE price_lines SET valid_from = valid_from - {ago}, valid_until = valid_until - {ago}")
        self.write(f"UPDATE price_runs SET reckoned_at = reckoned_at - {ago}")


def _said(number: Any) -> str:
    return f"{number.normalize():f}"


@pytest.fixture
def feed(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Feed]:
    before = dict(os.environ)
    folder = tmp_path / "config"
    with sftp.served(tmp_path / "server") as server, world(folder, database_url, redis_url) as made:
        (folder / "prices.toml").write_text(POLICY)
        os.environ.update(TESTS_SFTP_USER=sftp.USER, TESTS_SFTP_SECRET=sftp.PASSWORD)
        account = ACCOUNT.format(port=server.port, key=server.host_key)
        join(made, ("prices",), account, ROUTE, ("WB-TEE", "WB-MUG", "WB-CAP"))
        yield Feed(made, server)
    os.environ.clear()
    os.environ.update(before)
