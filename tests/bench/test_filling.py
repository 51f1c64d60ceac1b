"""The past that the growth scenario lays down, and the pages that it asks for over it."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bench import filling
from bench.scenarios import masses, rush


@pytest.mark.servers
def test_the_past_has_what_every_page_reads(database_url: str) -> None:
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for _ in range(2):  # the second begins within five orders of one customer
            filling.past(connection, 115, "{}")
        many = {
            table: connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in ("subjects", "customer_orders", "fulfilments", "return_requests", "customers")
        }
        lost = connection.execute(rush.LOST.encode(), (["past-2", "past-230", "msg-that-went-astray"],)).fetchone()
        again = connection.execute("INSERT INTO customers (rule) VALUES ('new') RETURNING id").fetchone()
    assert many == {
        "subjects": (230,),
        "customer_orders": (19,),  # 50, 60, ... 230
        "fulfilments": (23,),
        "return_requests": (23,),
        "customers": (4,),
    }
    assert lost == (1,)  # of what was acknowledged
    assert again is not None
    assert int(again[0]) > 230


def test_every_view_of_the_admin_is_asked_for() -> None:
    pages = masses.lists()
    wanted = "orders holds fulfilments returns customers cases stock prices feeds codes accounts events steps attempts bulk proof audit users"
    assert {f"/admin/{name}/" for name in (*wanted.split(), "sourcing", "webhooks", "keys", "connectors")} <= set(pages)
    assert len(pages) == len(set(pages))
