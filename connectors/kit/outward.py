"""Addresses that somebody else names: only public ones are called, whatever a name means at the moment of the call (no SSRF).

The name is resolved once, every address that it means must be public, and the connection goes to one of the very addresses that were looked
at (the next where one cannot be reached): a name that changes its meaning in between (DNS rebinding) gains nothing.
Redirects are answers (kit/http.py).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from connectors.kit.errors import Rejected

PORTS = {"http": 80, "https": 443}
TRIED = 3  # addresses of one name: each may take the whole time that a connection has
REMEDY = "Name an https address that the whole internet can reach."
LONGEST = 2000


def refusal(url: str, private: Collection[str] = ()) -> str:
    """Why an address is never called, as far as it can be seen without asking anybody; '' when it may be.

    `private` hosts (`ours`) are the operator's own word.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "That is no address."
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    wrong = (
        (not plain or not host, "That is no address."),
        (bool(parts.username or parts.password or parts.fragment), "An address bears no login and no fragment."),
    )
    outside = (
        (parts.scheme != "https", "Only https addresses are called."),
        (port is not None and port != 443 and port < 1024, f"Port {port} belongs to another service."),
        (not _may_be_public(host), f"{host} is not a public address."),
    )
    return next((why for holds, why in (*wrong, *(() if ours(url, private) else outside)) if holds), "")


def ours(url: str, private: Collection[str]) -> bool:
    """Whether an address lies at a host that the operator named: `host` at http's and https' own ports, `host:port`, or `host:*` at any."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme)
    if parts.scheme not in PORTS or port is None:
        return False
    for named in private:
        host, _, only = named.rpartition(":") if named.rpartition("]")[2].count(":") == 1 else (named, "", "")
        same = (parts.hostname or "").rstrip(".") == host.strip("[]").lower()
        if same and (only in ("*", str(port)) if only else port in PORTS.values()):
            return True
    return False


def _may_be_public(host: str) -> bool:
    try:
        return public(host)
    except ValueError:
        top = host.rpartition(".")[2]  # 127.1 and 0x7f.1 are addresses to some resolvers
        named = "." in host and (top.isalpha() or top.startswith("xn--"))
        return named and not host.endswith((".localhost", ".local", ".internal", ".invalid", ".arpa", ".onion"))


def public(address: str) -> bool:
    """Whether an IP address belongs to the internet at large; an IPv4 address inside IPv6 counts as what it is. Raises ValueError for a name."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None and not inner.is_global:
            return False
        if found.is_site_local:  # fec0::/10: out of use, yet no registry calls it private
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Outward(HTTPSConnection):
    """Connects to the address that was looked at; the certificate is still held against the name."""

    allowed = staticmethod(public)

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        *first, last = self._looked_at(name)[:TRIED]
        try:
            for address in first:
                try:
                    self._dns_host = address
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError):  # nothing was sent: the next may be up
                    continue
            self._dns_host = last
            return super()._new_conn()
        finally:
            self._dns_host = name

    def _looked_at(self, name: str) -> list[str]:
        """What a name means now, each once. Raises Rejected where any of it is not public."""
        try:
            found = socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(self.allowed(address) for address in addresses):
            raise Rejected(f"{name} is not a public address.", code="forbidden_address", remedy=REMEDY)
        return list(dict.fromkeys(addresses))


class Pool(HTTPSConnectionPool):
    ConnectionCls = Outward


class Adapter(HTTPAdapter):
    """https by way of Outward only."""

    pool = Pool

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **more)
        self.poolmanager.pool_classes_by_scheme = {"https": self.pool}


_kept = threading.local()


def session(account: str) -> requests.Session:
    """A session that reaches public https addresses only, for each thread and account."""
    known: dict[str, requests.Session] = _kept.__dict__.setdefault("sessions", {})
    if account not in known:
        made = requests.Session()
        made.trust_env = False
        made.adapters.clear()
        made.mount("https://", Adapter(pool_connections=8, pool_maxsize=2, max_retries=0))
        known[account] = made
    return known[account]
