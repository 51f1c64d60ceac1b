"""Records that are made once: looked up by external id first, as neither a transform nor every update is an upsert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Job, Write
from connectors.netsuite.client import Client

Links = tuple[tuple[str, str], ...]


def numbered(name: str, index: int) -> str:
    """The name of the nth like write: credit_memo, credit_memo_2."""
    return f"{name}_{index + 1}" if index else name


def upserted(
    client: Client, write: str, record: str, body: Mapping[str, Any], replace: Sequence[str] = (), links: Links = ()
) -> Write:
    """The write of a record that a PUT inserts or updates."""
    name = str(body["externalId"])

    def send() -> ExternalId | Job:
        return client.upsert(record, name, body, replace=replace)

    return Write(write, send=send, find=partial(client.id_of, record, name), links=links)


def made(
    client: Client,
    write: str,
    record: str,
    name: str,
    make: Callable[[], ExternalId],
    links: Links = (),
    check: Callable[[ExternalId], None] = lambda _: None,
) -> Write:
    """The write of a record that is made once. External ids are unique: whatever refuses a second, the first is taken.

    `check` looks at it once it is made, and where its answer was lost, once it is found; of a repeat no more.
    """

    def send() -> ExternalId:
        found = client.id_of(record, name)
        if found is not None:
            return found
        try:
            new = make()
        except Rejected as refused:
            found = client.id_of(record, name)
            if found is None:
                raise refused
            return found
        check(new)
        return new

    def find() -> ExternalId | None:
        found = client.id_of(record, name)
        if found is not None:
            check(found)
        return found

    return Write(write, send=send, find=find, links=links)
