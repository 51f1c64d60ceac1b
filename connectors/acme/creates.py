"""How one record is made once at Acme, in each of the four ways that vendors have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.acme.client import Client, Row
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Job, Write, Writes, one_of


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be made; `reference` is its business identity, `links` what its id is known as."""

    kind: str
    body: Mapping[str, Any]
    reference: str
    key: str
    links: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> dict[str, Any]:
        return {**self.body, "reference": self.reference}


def keyed(client: Client, record: Record) -> Writes:
    """The vendor honours an idempotency key: asking again is answered with the first record."""
    return (
        yield Write(
            "keyed",
            send=lambda: _id(client.make(record.kind, record.whole, record.key)),
            find=lambda: _id(client.by_key(record.kind, record.key)),
            links=record.links,
        )
    )


def searched(client: Client, record: Record) -> Writes:
    """No key and no unique field: only a search by our reference protects, and its index is late (settles_after)."""
    return (
        yield Write(
            "searched",
            send=lambda: _id(client.make(record.kind, record.whole)),
            find=lambda: one_of([str(row["id"]) for row in client.all_by_reference(record.kind, record.reference)]),
            links=record.links,
        )
    )


def two_calls(client: Client, record: Record) -> Writes:
    """A header first, then its lines: each call is committed and looked up on its own."""
    head = {"reference": record.reference, "draft": True}
    made = yield Write(
        "header",
        send=lambda: _id(client.make(record.kind, head, f"{record.key}-head")),
        find=lambda: _id(client.by_key(record.kind, f"{record.key}-head")),
    )
    return (
        yield Write(
            "confirmation",
            send=lambda: _id(client.confirm(record.kind, made, record.whole)),
            find=lambda: made if client.record(record.kind, made)["state"] != "draft" else None,
            links=record.links,
        )
    )


def job(client: Client, record: Record) -> Writes:
    """202 and a job, polled to its end."""

    def ended(told: Row) -> ExternalId | Job:
        if told["state"] == "failed":
            raise Rejected(str(told["error"]["message"]), code=str(told["error"]["code"]))
        return str(told["record"]) if told["state"] == "done" else Job(str(told["id"]), after=float(told["after"]))

    return (
        yield Write(
            "job",
            send=lambda: ended(client.make(record.kind, record.whole, record.key, later=True)["job"]),
            find=lambda: _id(client.by_key(record.kind, record.key)),
            poll=lambda name: ended(client.job(name)),
            links=record.links,
        )
    )


def _id(row: Row | None) -> Any:
    """The record's id; None for no record."""
    return None if row is None else str(row["id"])


CREATES: dict[str, Callable[[Client, Record], Writes]] = {
    "keyed": keyed,
    "searched": searched,
    "two_calls": two_calls,
    "job": job,
}
