"""The figures for Prometheus, read from the journal at most every few seconds, so that every process tells the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.bell import CLOCK, HUB, INTAKE
from app.database import transaction
from app.journal.reading import counts, draining, proofs
from app.stock import reading as stock
from app.web import broker, limiting
from config.reader import config

__all__ = ["CONTENT_TYPE", "exposition"]

KEEP = 5.0  # seconds
BREAKER = {"closed": 0, "half": 1, "open": 2}
log = structlog.get_logger("waybill.metrics")


Rows = Iterable[tuple[tuple[str, ...], float]]


def gauge(name: str, told: str, labels: tuple[str, ...], rows: Rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"waybill_{name}", told, labels=labels)
    for values, figure in rows:
        family.add_metric(values, figure)
    return family


class Journal(Collector):
    """Collects from SQL; a database that is away is a figure too."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with transaction() as tx:
                families = list(_families(tx))
        except SQLAlchemyError as error:
            log.error("figures could not be read", fault=type(error).__name__)
            families = []
        yield gauge("up", "1 when the journal could be read", (), [((), float(bool(families)))])
        yield from families
        yield from _queues()


def _families(tx: Connection) -> Iterator[GaugeMetricFamily]:
    accounts = [*config().accounts, HUB]
    states, breakers = counts.events_by_state(tx), counts.breakers(tx)
    yield gauge("events", "Events by state, counted to 100,000", ("state",), _by_one(states))
    steps = counts.steps_by_state(tx)
    yield gauge("open_steps", "Open steps by account and state", ("account", "state"), steps.items())
    oldest = {account: _age(since) for account, since in counts.oldest_waiting(tx, accounts).items()}
    ages = {account: oldest.get(account, 0.0) for account in accounts}
    yield gauge("oldest_waiting_seconds", "Age of the oldest step waiting for its account", ("account",), _by_one(ages))
    drains = {account: drain for account in oldest if (drain := draining.drain(tx, account).seconds) is not None}
    yield gauge(
        "drain_seconds", "Until what waits for its account is done, at its pace now", ("account",), _by_one(drains)
    )
    states_of = {account: float(BREAKER.get(breaker, 2)) for account, (breaker, _) in breakers.items()}
    yield gauge("breaker", "0 closed, 1 half open, 2 open", ("account",), _by_one(states_of))
    paused = {account: float(paused) for account, (_, paused) in breakers.items()}
    yield gauge("paused", "1 when a person or a refused credential paused it", ("account",), _by_one(paused))
    yield from _limits(tx)
    waiting = {row.account: row for row in stock.late(tx, 0)}
    yield gauge(
        "stock_waiting",
        "SKUs to be told, by channel",
        ("account",),
        _by_one({a: r.waiting for a, r in waiting.items()}),
    )
    since = {account: _age(row.oldest) for account, row in waiting.items()}
    yield gauge("stock_oldest_seconds", "Age of the oldest SKU to be told, by channel", ("account",), _by_one(since))
    yield from _proof(tx)
    refused = counts.refused(tx).items()
    yield gauge("refused_deliveries", "Deliveries not accepted, 30 days", ("account", "reason"), refused)


def _limits(tx: Connection) -> Iterator[GaugeMetricFamily]:
    """Declared and in force beside each other: they part where other software uses the account too."""
    limits, labels = limiting.of_all(tx, list(config().accounts)), ("account", "limit", "kind")
    declared = [(name, one.declared) for name, one in limits.items() if one.declared is not None]
    yield gauge("limit_declared", "Calls (points) a second, or at a time (concurrency), as declared", labels, declared)
    effective = [(name, one.effective) for name, one in limits.items() if one.effective is not None]
    yield gauge("limit_effective", "... as used at the most now", labels, effective)


PROVED = 24  # hours that are told


def _proof(tx: Connection) -> Iterator[GaugeMetricFamily]:
    """The last result of each channel's hour; an alarm stands on the differences, or on the age."""
    hours = proofs.hours_of(tx, PROVED)
    told = "What was proved of a channel's hour: acknowledged, applied, missing at the source or ERP ..."
    yield gauge("proof", told, ("channel", "hour", "figure"), hours.items())
    differences = dict.fromkeys(((channel, "any") for channel, _, _ in hours), 0) | proofs.open_by_kind(tx)
    yield gauge("proof_differences", "Open differences", ("channel", "kind"), differences.items())
    at = proofs.standing(tx).at
    yield gauge("proof_age_seconds", "Since the last proof", (), [((), _age(at))] if at else [])


def _by_one(figures: Mapping[str, float]) -> Rows:
    return (((name,), figure) for name, figure in figures.items())


def _age(since: datetime) -> float:
    return (datetime.now(UTC) - since).total_seconds()


def _queues() -> Iterator[GaugeMetricFamily]:
    try:
        depths = broker.depths((HUB, INTAKE, CLOCK, *config().accounts))
    except broker.AWAY:
        return
    yield gauge("queue_depth", "Messages in each Celery queue", ("queue",), _by_one(depths))


_registry = CollectorRegistry()
_registry.register(Journal())
_kept: tuple[float, bytes] = (0.0, b"")
_lock = threading.Lock()


def exposition() -> bytes:
    """The page that Prometheus scrapes; asked more often it is the same one."""
    global _kept
    with _lock:
        if time.monotonic() - _kept[0] > KEEP:
            _kept = (time.monotonic(), generate_latest(_registry))
        return _kept[1]
