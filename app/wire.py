"""The broker's wire, Redis: kombu's own transport, whose channels know when their connection is gone.

With kombu 5.7 a channel that is closed after its transport (a worker that reconnects, a task that ends meanwhile) asks `None` for the host and
ends the whole worker with an AttributeError; as an error of the connection, Celery reconnects as it does after any other (docs/decisions.md).
"""

from __future__ import annotations

from typing import Any

import redis
from kombu import transport
from kombu.transport import redis as shipped

SCHEMES = ("redis", "rediss")


class Channel(shipped.Channel):
    """A channel whose connection was closed says so, instead of stumbling. It keeps its client: kombu makes a new one for every command."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # not in the stubs
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise redis.exceptions.ConnectionError("The connection to the broker was closed.")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]  # not in the stubs


class Transport(shipped.Transport):
    """Redis with these channels."""

    Channel = Channel


def lay() -> None:
    """From now on, redis:// means this transport in this process, whatever it meant before."""
    for scheme in SCHEMES:
        transport._transport_cache.pop(scheme, None)  # type: ignore[attr-defined]  # not in the stubs
    transport.TRANSPORT_ALIASES.update(dict.fromkeys(SCHEMES, f"{__name__}:{Transport.__name__}"))
