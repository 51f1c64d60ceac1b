"""The lab's TCP proxy does what the network does on its bad days, and nothing else."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from labs.failure.proxy import Proxy, proxy


def _echo(listener: socket.socket) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(peer,), daemon=True).start()


def _answer(peer: socket.socket) -> None:
    with peer:
        try:
            while piece := peer.recv(4096):
                peer.sendall(piece)
        except OSError:
            return


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    """A server that answers with what it was told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def weather(server: tuple[str, int]) -> Iterator[Proxy]:
    with proxy(server) as made:
        yield made


def connected(weather: Proxy) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", weather.port), timeout=0.5)
    try:
        assert said(made, b"hello") == b"hello"
    except OSError:
        made.close()
        raise
    return made


def said(made: socket.socket, words: bytes) -> bytes:
    made.sendall(words)
    return made.recv(4096)


def test_a_stall_loses_nothing(weather: Proxy) -> None:
    with connected(weather) as made:
        weather.turn("stall")
        with pytest.raises(TimeoutError):
            said(made, b"later")
        weather.turn("pass")
        assert made.recv(4096) == b"later"


def test_a_reset_is_a_reset(weather: Proxy) -> None:
    with connected(weather) as made:
        weather.turn("reset")
        with pytest.raises(ConnectionResetError):
            said(made, b"anyone?")
    with pytest.raises(OSError, match=r"reset|Broken"):
        connected(weather)
    weather.turn("pass")
    connected(weather).close()


def test_half_open_is_silence_for_the_old_and_service_for_the_new(weather: Proxy) -> None:
    with connected(weather) as old:
        weather.turn("half-open")
        with pytest.raises(TimeoutError):
            said(old, b"anyone?")
        connected(weather).close()
        with pytest.raises(TimeoutError):
            said(old, b"still?")


@pytest.mark.skipif(os.geteuid() != 0, reason="a socket under repair needs CAP_NET_ADMIN")
def test_a_vanished_peer_is_noticed_only_when_it_is_spoken_to(weather: Proxy) -> None:
    with connected(weather) as made:
        assert weather.vanish()
        with pytest.raises(TimeoutError):
            made.recv(1)
        with pytest.raises(ConnectionError):
            said(made, b"anyone?")


def test_a_drip_is_slow_and_whole(weather: Proxy) -> None:
    with connected(weather) as made:
        weather.turn("drip")
        began = time.monotonic()
        made.sendall(b"0123456789")
        parts = b""
        while len(parts) < 10:
            parts += made.recv(4096)
        assert parts == b"0123456789"
        assert time.monotonic() - began > 8 * weather.gap


def test_nobody_listens_and_then_somebody_does(weather: Proxy) -> None:
    with connected(weather) as made:
        weather.turn("refuse")
        with pytest.raises(OSError, match="reset"):
            said(made, b"anyone?")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", weather.port), timeout=1)
    weather.turn("pass")
    connected(weather).close()


def test_another_server_moves_in(weather: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        weather.move(other.getsockname())
        with socket.create_connection(("127.0.0.1", weather.port), timeout=1) as made:
            peer, _ = other.accept()
            peer.sendall(b"moved")
            assert made.recv(4096) == b"moved"
            peer.close()


def test_an_end_is_told_to_the_other_side(weather: Proxy) -> None:
    made = connected(weather)
    assert weather.open == 1
    made.close()
    until = time.monotonic() + 2
    while weather.open and time.monotonic() < until:
        time.sleep(0.01)
    assert weather.open == 0
