"""One conversation with an SFTP server: its key is held against ours before anything is said, and what broke is sorted."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko import SFTPClient, Transport

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Transient, Trouble, Unauthorized
from connectors.kit.http import Exchange, Http

BROKEN = (paramiko.SSHException, OSError, EOFError)
KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True)
class Client:
    """`folder` is the path that all names are under."""

    http: Http

    @property
    def account(self) -> Account:
        return self.http.account

    @property
    def folder(self) -> str:
        return unquote(urlsplit(self.account.base_url).path).rstrip("/") or "."

    @contextmanager
    def talk(self, operation: str, about: str, *, write: bool = False) -> Iterator[SFTPClient]:
        """A session for one operation, within limits, lease and time. A write that breaks off is Ambiguous, a read Transient; both are kept as told.

        Raises Unauthorized for refused credentials, Rejected for a server that is another than the account says.
        """
        with self.http.limits.leave(self.account.name, operation, 1):
            self.http.guard()
            began, error, sending = time.monotonic(), "", False
            try:
                with self._session() as session:
                    sending = write
                    yield session
            except Trouble as trouble:
                error = trouble.code
                raise
            except BROKEN as broken:
                error = type(broken).__name__
                raise _trouble(broken, sending) from broken
            finally:
                self.http.tap(self._exchange(operation, about, time.monotonic() - began, error))

    @contextmanager
    def _session(self) -> Iterator[SFTPClient]:
        at = urlsplit(self.account.base_url)
        if at.scheme != "sftp" or not at.hostname:
            raise Rejected("The account's address is not sftp://host/folder.", code="bad_base_url", field="base_url")
        wanted = str(self.account.settings.get("host_key", "")).strip()
        if not wanted:
            sentence = "The account names no host key, so nobody can say who answers."
            raise Rejected(sentence, code="no_host_key", field="settings.host_key", remedy="Set settings.host_key.")
        wire = socket.create_connection((at.hostname, at.port or 22), timeout=self.account.timeout)
        transport = Transport(wire)
        try:
            transport.start_client(timeout=self.account.timeout)
            if not same_key(transport.get_remote_server_key(), wanted):
                remedy = "Ask whoever runs the server whether its key was changed; then set settings.host_key."
                raise Rejected("The server has another key than the account names.", code="host_key", remedy=remedy)
            self._sign_in(transport)
            session = SFTPClient.from_transport(transport)
            if session is None:
                raise paramiko.SSHException("no SFTP session")
            session.get_channel().settimeout(self.account.timeout)  # type: ignore[union-attr]
            yield session
        finally:
            transport.close()
            wire.close()

    def _sign_in(self, transport: Transport) -> None:
        user, secret = (self.account.credentials.get(name, "") for name in ("username", "secret"))
        try:
            if secret.lstrip().startswith("-----BEGIN"):
                transport.auth_publickey(user, _key(secret))
            else:
                transport.auth_password(user, secret)
        except paramiko.AuthenticationException as refused:
            raise Unauthorized("The SFTP server refuses our credentials.") from refused

    def _exchange(self, operation: str, about: str, seconds: float, error: str) -> Exchange:
        at = urlsplit(self.account.base_url)
        url = f"sftp://{at.hostname}:{at.port or 22}{self.folder}/{about}"
        return Exchange(operation, "SFTP", url, {}, b"", 0 if error else 200, {}, b"", seconds, error)


def same_key(shown: paramiko.PKey, wanted: str) -> bool:
    """Whether a server's key is the one named: as known_hosts has it, or by its SHA-256 fingerprint."""
    if wanted.startswith("SHA256:"):
        digest = base64.b64encode(hashlib.sha256(shown.asbytes()).digest()).decode().rstrip("=")
        return wanted.removeprefix("SHA256:").rstrip("=") == digest
    return wanted.split()[:2] == [shown.get_name(), shown.get_base64()]


def _key(text: str) -> paramiko.PKey:
    for kind in KEYS:
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise Rejected("The account's private key is none that can be read.", code="bad_key", field="credentials.secret")


def _trouble(broken: Exception, sending: bool) -> Trouble:
    if isinstance(broken, FileNotFoundError):
        return Rejected("The file is not there (any more).", code="gone")
    if isinstance(broken, PermissionError):
        remedy = "Give the login the right to read, write and rename in its folder."
        return Rejected("The SFTP server does not let us do that.", code="forbidden", remedy=remedy)
    if sending:
        return Ambiguous("The connection broke in the middle of a write.")
    return Transient("The SFTP server cannot be reached or broke off.", code="unreachable")
