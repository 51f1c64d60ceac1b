"""Addresses that partners name: only public https ones are called, whatever a name means at that moment."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.kit import outward
from connectors.kit.errors import Rejected

FORBIDDEN = (
    "http://partner.example.com/events",
    "https://localhost/events",
    "https://127.0.0.1/events",
    "https://127.1/events",
    "https://2130706433/events",
    "https://0x7f000001/events",
    "https://10.1.2.3/events",
    "https://172.16.0.9/events",
    "https://192.168.1.1/events",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/events",
    "https://0.0.0.0/events",
    "https://224.0.0.1/events",
    "https://[::1]/events",
    "https://[fe80::1]/events",
    "https://[fd00::1]/events",
    "https://[fec0::1]/events",
    "https://[::ffff:127.0.0.1]/events",
    "https://[64:ff9b::7f00:1]/events",
    "https://[2002:7f00:1::]/events",
    "https://metadata.google.internal/events",
    "https://printer.local/events",
    "https://user:secret@partner.example.com/events",
    "https://partner.example.com:25/events",
    "https://partner.example.com:22/events",
    "https://partner.example.com/a b",
    "https://partner.example.com/\r\nHost: other",
    "ftp://partner.example.com/events",
    "file:///etc/passwd",
    "gopher://partner.example.com/",
    "https:///events",
    "https://[nonsense/events",
    "https://partner.example.com:99999/",
    "",
)


@pytest.mark.parametrize("url", FORBIDDEN)
def test_is_never_called(url: str) -> None:
    assert outward.refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example.com/events?for=waybill",
        "https://partner.example.com:8443/events",
        "https://93.184.215.14/events",
        "https://[2606:4700::6810:84e5]/events",
    ],
)
def test_may_be_called(url: str) -> None:
    assert outward.refusal(url) == ""


def test_the_operators_own_hosts_may_be_called_and_no_others() -> None:
    """A host that was named opens no other service there: its own ports, the port that was named, or any by an open word."""
    assert outward.refusal("http://10.1.2.3:8080/events", ("10.1.2.3:8080",)) == ""
    assert outward.refusal("http://10.1.2.4:8080/events", ("10.1.2.3:8080",))
    assert outward.refusal("http://user@10.1.2.3/events", ("10.1.2.3",))
    assert outward.refusal("http://10.1.2.3/events", ("10.1.2.3",)) == ""
    assert outward.refusal("https://shop.internal/events", ("Shop.internal",)) == ""
    assert outward.refusal("http://[fd00::1]:9000/events", ("[fd00::1]:9000",)) == ""
    assert outward.refusal("http://[fd00::1]/events", ("fd00::1",)) == ""
    for url in ("http://10.1.2.3:6379/", "https://10.1.2.3:5432/", "http://10.1.2.3:8080/", "ftp://10.1.2.3/x"):
        assert outward.refusal(url, ("10.1.2.3", "10.1.2.3:9999")), url
    assert outward.refusal("http://10.1.2.3:6379/", ("10.1.2.3:*",)) == ""
    assert outward.refusal("http://10.1.2.4:6379/", ("10.1.2.3:*",))


def test_a_name_that_means_a_private_address_gets_no_connection() -> None:
    """Whatever it meant when it was subscribed: the address is looked at when it is called (DNS rebinding)."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.5)
        with pytest.raises(Rejected) as refused:
            outward.session("tests").post(f"https://localhost:{inside.getsockname()[1]}/", timeout=2)
        assert refused.value.code == "forbidden_address"
        with pytest.raises(TimeoutError):
            inside.accept()
    with pytest.raises(requests.exceptions.InvalidSchema):
        outward.session("tests").get("http://93.184.215.14/")


class Anyone(outward.Outward):
    """The same connection where every address is public."""

    allowed = staticmethod(lambda address: bool(ipaddress.ip_address(address)))


class AnyonePool(outward.Pool):
    ConnectionCls = Anyone


class AnyoneAdapter(outward.Adapter):
    pool = AnyonePool


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """An https server that is called localhost, and the certificate that says so."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    both = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server.server_port, both
    server.shutdown()
    server.server_close()


def test_the_next_address_is_tried_where_one_cannot_be_reached(
    partner: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of several addresses, as most have (IPv6 first): one house is dark. Each is looked at before any is called."""
    port, trusted = partner
    meant = ["127.0.0.9", "127.0.0.9", "127.0.0.1"]

    def found(name: str, at: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, at)) for address in meant]

    asked = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda name, at, *a, **k: (found if name == "localhost" else asked)(name, at, *a, **k)
    )
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", AnyoneAdapter())
        session.verify = str(trusted)
        assert session.post(f"https://localhost:{port}/", timeout=5).status_code == 204
    meant[:] = ["93.184.215.14", "127.0.0.1"]
    with pytest.raises(Rejected):
        outward.session("tests").post(f"https://localhost:{port}/", timeout=5)


def test_the_certificate_is_held_against_the_name_and_not_the_address(partner: tuple[int, Path]) -> None:
    port, trusted = partner
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", AnyoneAdapter())
        session.verify = str(trusted)
        assert session.post(f"https://localhost:{port}/", timeout=5).status_code == 204
        with pytest.raises(requests.exceptions.SSLError):
            session.post(f"https://127.0.0.1:{port}/", timeout=5)
