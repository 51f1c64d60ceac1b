"""Ports are free, remembered, and never of the range that the system hands to clients."""

import socket
from pathlib import Path

from local.ports import HIGHEST, LOWEST, Ports, answers, is_free, pick, wait_open


def test_below_the_ephemeral_range() -> None:
    assert LOWEST <= pick() < HIGHEST
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    assert not ephemeral.exists() or int(ephemeral.read_text().split()[0]) >= HIGHEST


def test_remembered_while_free(tmp_path: Path) -> None:
    port = Ports(tmp_path / "ports.json").get("web")
    assert Ports(tmp_path / "ports.json").get("web") == port
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert answers(port)
        assert wait_open(port, 1)
        assert Ports(tmp_path / "ports.json").get("web") != port


def test_names_never_share_a_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    assert len({ports.get(str(number)) for number in range(50)}) == 50


def test_a_silent_port_is_given_up() -> None:
    assert not wait_open(pick(), 0.1)
