"""The floor of the stock API: the bare query and the bare locked update, behind the same server, with nothing around them."""

from __future__ import annotations

import os

import orjson
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool
from sqlalchemy.engine import make_url

READ = "SELECT sku, sum(free) FROM shelves WHERE sku = ANY(%s) GROUP BY sku"
CLAIM = "UPDATE shelves SET reserved = reserved + %s WHERE sku = %s AND location = 'main' AND free >= %s RETURNING free"


def create_app() -> Flask:
    """DATABASE_URL names the database; no key, no schema, no limit, no rule, no age, no ledger, no mark."""
    app = Flask("floor")
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
    pool = ConnectionPool(url, min_size=1, max_size=8, kwargs={"autocommit": True}, open=True)

    @app.get("/availability")
    def availability() -> Response:
        with pool.connection() as connection:
            rows = connection.execute(READ, (request.args.getlist("sku"),)).fetchall()
        items = [{"sku": sku, "available": int(free)} for sku, free in rows]
        return Response(orjson.dumps({"items": items}), content_type="application/json")

    @app.post("/reservations")
    def reservations() -> Response:
        line = orjson.loads(request.get_data())["lines"][0]
        with pool.connection() as connection:
            row = connection.execute(CLAIM, (line["quantity"], line["sku"], line["quantity"])).fetchone()
        return Response(
            orjson.dumps({"granted": row is not None}), 201 if row else 409, content_type="application/json"
        )

    return app
