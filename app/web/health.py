"""Whether this process lives, whether the hub can work, and the figures that a monitor collects."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import transaction
from app.web import broker, metrics

health = Blueprint("health", __name__)
STALE = 120  # seconds without a worker's heartbeat; beat sends one through each queue every 30
MIGRATIONS = Path(__file__).parents[2] / "migrations"


@health.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Ready when everything that an order needs is there; else 503 and which of them is not, in words."""
    found = {name: ask() for name, ask in NEEDS.items()}
    wrong = {name: reason for name, reason in found.items() if reason}
    return jsonify(status="not ready" if wrong else "ready", reasons=wrong), 503 if wrong else 200


def _database() -> str:
    try:
        with transaction() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "PostgreSQL does not answer."
    return ""


def _schema() -> str:
    try:
        with transaction() as tx:
            has = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError:
        return "The schema cannot be read: migrate the database."
    return "" if has == head() else f"The schema is at {has}, this code needs {head()}: migrate the database."


@cache
def head() -> str | None:
    """The newest migration that this code knows."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(settings).get_current_head()


def _broker() -> str:
    try:
        broker.reach()
    except broker.AWAY:
        return f"The broker ({'RabbitMQ' if broker.address().startswith('amqp') else 'Redis'}) does not answer."
    return ""


def _workers() -> str:
    try:
        with transaction() as tx:
            age = tx.execute(text("SELECT extract(epoch FROM now() - max(seen_at)) FROM heartbeats")).scalar()
    except SQLAlchemyError:
        return "No worker can be asked for while PostgreSQL is away."
    if age is None:
        return "No worker has been heard yet."
    return "" if age < STALE else f"No worker has been heard for {int(age)} seconds."


NEEDS: dict[str, Callable[[], str]] = {"database": _database, "schema": _schema, "broker": _broker, "workers": _workers}


@health.get("/metrics")
def figures() -> ResponseReturnValue:
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
