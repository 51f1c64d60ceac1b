"""A channel that outlives its connection ends like one whose broker is away: the worker reconnects instead of ending."""

from __future__ import annotations

import pytest
from kombu import Connection, Consumer, Queue

from app import wire


def test_a_channel_without_a_connection_is_an_error_of_the_connection(redis_url: str) -> None:
    wire.lay()
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        assert isinstance(channel, wire.Channel)
        queue = Queue("wire-test")(channel)
        queue.declare()
        connection.Producer(channel).publish("x", routing_key="wire-test")
        taken = []
        with Consumer(channel, [queue], callbacks=[lambda _, message: taken.append(message)], no_ack=False):
            connection.drain_events(timeout=5)
        errors = connection.connection_errors + connection.channel_errors
        for pool in (channel._pool, channel._async_pool):  # as after a disconnect
            if pool is not None:
                pool.disconnect()
        channel._pool = channel._async_pool = None
        connection._do_close_transport()
        with pytest.raises(errors):
            taken[0].ack()
        with pytest.raises(errors):  # it still holds an unacknowledged message, and cannot give it back
            channel.close()
