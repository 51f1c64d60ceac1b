"""The kit's session says on the wire what requests would say, and keeps the cookies of a house that sets some."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from connectors.kit.session import Lean

ANSWER = b"HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/\r\nset-cookie: house=1; Path=/\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def house() -> Iterator[tuple[str, list[bytes]]]:
    """A house that notes what it hears, one request for each connection, and answers with a cookie and a redirect."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    wire, _ = door.accept()
                except OSError:
                    return
                with wire:
                    heard.append(_whole(wire))
                    wire.sendall(ANSWER.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", heard
        door.shutdown(socket.SHUT_RDWR)


def _whole(wire: socket.socket) -> bytes:
    said = wire.recv(65536)
    size = next((int(line[15:]) for line in said.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(said.partition(b"\r\n\r\n")[2]) < size:
        said += wire.recv(65536)
    return said


def _plain() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@pytest.mark.parametrize(
    "asked",
    [
        {
            "method": "post",
            "path": "/v1/ä b?x=1",
            "data": b'{"id":1}',
            "headers": {"accept": "application/json", "x-key": "7"},
        },
        {"method": "POST", "path": "/token", "data": {"grant": "a b"}, "headers": {}},
        {"method": "GET", "path": "/orders", "params": {"since": "2026-11-26T10:00:00Z", "page": 2, "none": None}},
        {"method": "DELETE", "path": "/orders/7", "headers": {"Connection": "close", "User-Agent": "ours"}},
    ],
)
def test_what_is_said_is_the_same(house: tuple[str, list[bytes]], asked: dict[str, object]) -> None:
    base, heard = house
    told = {**asked, "url": f"{base}{asked['path']}"}
    told.pop("path")
    for session in (_plain(), Lean()):
        prepared = session.prepare_request(requests.Request(**told))
        with session.send(prepared, stream=True, timeout=(5, 5), allow_redirects=False) as answer:
            assert answer.status_code == 302
            assert isinstance(session, Lean) <= (answer.raw.read() == b"ok")  # requests reads it, looking where to go
    first, second = ({*said.split(b"\r\n\r\n")[0].split(b"\r\n")} for said in heard)
    assert {line.lower() for line in first} == {line.lower() for line in second}
    assert heard[0].split(b"\r\n\r\n")[1] == heard[1].split(b"\r\n\r\n")[1]


def test_a_cookie_is_sent_from_then_on(house: tuple[str, list[bytes]]) -> None:
    base, heard = house
    session = Lean()
    for _ in range(2):
        session.send(session.prepare_request(requests.Request("GET", base)), stream=True, allow_redirects=False).close()
    assert b"cookie" not in heard[0].lower()
    assert b"\r\ncookie: house=1\r\n" in heard[1].lower()


def test_no_redirect_is_followed(house: tuple[str, list[bytes]]) -> None:
    session = Lean()
    with pytest.raises(ValueError, match="redirect"):
        session.get(house[0])
