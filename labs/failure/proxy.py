"""A TCP proxy that plays the network's bad days between the hub and a server: it stalls, resets, swallows, drips or moves house."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["pass", "stall", "reset", "half-open", "drip", "refuse"]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST
TCP_REPAIR = 19  # Linux: a socket under repair is closed without a FIN or RST; needs CAP_NET_ADMIN
PIECE = 65_536


@dataclass
class Pair:
    """One connection: the hub's end, the server's end."""

    hub: socket.socket
    server: socket.socket
    swallow: bool = False  # half-open: the hub's words are taken and nothing ever comes back
    gone: bool = False

    def close(self) -> None:
        """Both ends, in the polite way."""
        if not self.gone:
            self.gone = True
            self._shut(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Both ends, with RST."""
        if not self.gone:
            self.gone = True
            for end in (self.hub, self.server):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._shut(socket.SHUT_RD)

    def vanish(self) -> bool:
        """The hub's end without a word; False where the system does not allow that."""
        self.gone, done = True, True
        try:
            self.hub.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            done = False
        self._shut(socket.SHUT_RD)
        return done

    def _shut(self, how: int) -> None:
        """Wakes whoever reads, for a socket that is being read is not closed by close() alone; SHUT_RD tells the other side nothing."""
        for end in (self.hub, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(how)
            end.close()


@dataclass
class Proxy:
    """Listens on a port of the loopback interface and forwards to `upstream`, in the mode of the moment.

    pass: bytes go through. stall: nothing moves, nothing is lost. reset: every connection, and each new one, is torn down with RST.
    half-open: the server's end of the present connections is gone and the hub's is not told; new ones pass.
    drip: one byte each `gap` seconds towards the hub. refuse: nobody listens.
    """

    upstream: tuple[str, int]
    port: int = 0
    mode: Mode = "pass"
    gap: float = 0.05
    accepted: int = 0
    _pairs: list[Pair] = field(default_factory=list)
    _listener: socket.socket | None = None
    _ended: bool = False

    def __post_init__(self) -> None:
        self._listen()

    # ---- what a scenario may do

    def turn(self, mode: Mode) -> None:
        """Changes the weather, for the connections there are and for those to come."""
        was, self.mode = self.mode, mode
        if mode == "reset":
            self.cut()
        elif mode == "half-open":
            self.forget()
        elif mode == "refuse":
            self._close_listener()
            self.cut()
        if was == "refuse" and mode != "refuse":
            self._listen()

    def cut(self) -> None:
        """Tears down every connection with RST."""
        for pair in self._take():
            pair.reset()

    def forget(self) -> None:
        """The server's end of every connection goes; the hub's end stays open and silent."""
        for pair in list(self._pairs):
            pair.swallow = True
            with contextlib.suppress(OSError):
                pair.server.shutdown(socket.SHUT_RDWR)

    def vanish(self) -> bool:
        """Every connection's hub end disappears without a word, as when a machine loses power and comes back.

        The hub learns of it only when it sends again or its keepalive asks. False where the system does not allow it (not root).
        """
        vanished = [pair.vanish() for pair in self._take()]
        return all(vanished)

    def move(self, upstream: tuple[str, int]) -> None:
        """Another server stands behind this address now; what is connected to the old one is torn down."""
        self.upstream = upstream
        self.cut()

    @property
    def open(self) -> int:
        """Connections that the hub has open here."""
        return len(self._pairs)

    def close(self) -> None:
        self._ended = True
        self._close_listener()
        for pair in self._take():
            pair.close()

    # ---- how it is done

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(256)
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close_listener(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended:
            try:
                hub, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(hub,), daemon=True).start()

    def _connect(self, hub: socket.socket) -> None:
        self.accepted += 1
        self._wait_while_stalled()
        try:
            server = socket.create_connection(self.upstream, timeout=5)
        except OSError:
            self._refuse(hub)
            return
        if self.mode in ("reset", "refuse") or self._ended:
            Pair(hub, server).reset()
            return
        for end in (hub, server):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(hub, server)
        self._pairs.append(pair)
        threading.Thread(target=self._up, args=(pair,), daemon=True).start()
        threading.Thread(target=self._down, args=(pair,), daemon=True).start()

    @staticmethod
    def _refuse(hub: socket.socket) -> None:
        with contextlib.suppress(OSError):
            hub.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        hub.close()

    def _up(self, pair: Pair) -> None:
        """From the hub to the server."""
        with self._until_broken(pair):
            while piece := pair.hub.recv(PIECE):
                self._wait_while_stalled()
                if not pair.swallow:
                    self._forward(pair, piece)
        self._end(pair)

    @staticmethod
    def _forward(pair: Pair, piece: bytes) -> None:
        try:
            pair.server.sendall(piece)
        except OSError:
            if not pair.swallow:
                raise

    def _down(self, pair: Pair) -> None:
        """From the server to the hub."""
        with self._until_broken(pair):
            while piece := pair.server.recv(PIECE):
                self._wait_while_stalled()
                if pair.swallow:
                    return
                self._pour(pair.hub, piece)
        if not pair.swallow:
            self._end(pair)

    def _pour(self, hub: socket.socket, piece: bytes) -> None:
        while piece and self.mode == "drip":
            hub.sendall(piece[:1])
            piece = piece[1:]
            time.sleep(self.gap)
        hub.sendall(piece)

    def _wait_while_stalled(self) -> None:
        while self.mode == "stall" and not self._ended:
            time.sleep(0.02)

    @contextmanager
    def _until_broken(self, pair: Pair) -> Iterator[None]:
        try:
            yield
        except OSError:
            if not pair.swallow:
                self._end(pair)

    def _end(self, pair: Pair) -> None:
        if pair in self._pairs:
            self._pairs.remove(pair)
        pair.close()

    def _take(self) -> list[Pair]:
        """All pairs, no longer ours to serve."""
        taken, self._pairs = self._pairs, []
        return taken


@contextmanager
def proxy(upstream: tuple[str, int], port: int = 0) -> Iterator[Proxy]:
    """A proxy before a server, gone at the end."""
    made = Proxy(upstream, port)
    try:
        yield made
    finally:
        made.close()
