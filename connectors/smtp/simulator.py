"""A real SMTP server on this machine that keeps every mail it accepts, and can be asked over HTTP what it holds."""

from __future__ import annotations

import asyncio
import email
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Response, jsonify, request

from connectors.kit.simulator import Call, Fault, Memory, Simulator
from connectors.kit.simulator import serve as serve_http

Row = dict[str, Any]
# What a fault of the kit means in SMTP, by the command that it hits: MAIL before anything, DATA after the final dot.
AT_MAIL = {
    "throttle": "421 4.7.0 Too many messages, try again in {value:.0f} seconds",
    "throttle_silent": "450 4.7.1 Slow down",
    "unavailable": "451 4.3.0 Mail server temporarily unavailable",
    "refuse_auth": "530 5.7.0 Authentication required",
}
AT_DATA = {"broken": "554 5.6.0 Message refused"}
# The mail is kept, and its answer garbled: cut in the middle, or the words of something that is no mail server.
GARBLED = {"truncated": b"25", "wrong_type": b"<html><body>Please sign in to the network.</body></html>\r\n"}
CUT = ("drop", "commit_then_drop", "commit_late", *GARBLED)


def create(settings: Mapping[str, Any]) -> MailSimulator:
    """A mail server and its mailbox. Settings (all optional):

    `path` memory file; `smtp_host` (127.0.0.1) and `smtp_port` (0: a free one) where it listens at once; `refused`
    {mailbox: reply}
    such as {"gone@example.com": "550 5.1.1 No such user"}; `username` and `password` it asks for; `tls_cert` and
    `tls_key` files with
    which it offers STARTTLS and, with `require_tls`, accepts no mail without.
    """
    return MailSimulator.made(dict(settings))


@contextmanager
def serve(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The mail server and its mailbox's HTTP; gives (address for asking, address for sending)."""
    sim = create(settings)
    with sim.served() as url:
        yield url, sim.address


class MailSimulator(Simulator):
    """The kit's base; its HTTP side only answers questions, mails come by SMTP."""

    settings: Row
    address: str
    door: Door

    @classmethod
    def made(cls, settings: Row) -> MailSimulator:
        made = cls("smtp", Memory(Path(settings["path"]) if settings.get("path") else None))
        made.settings = settings
        _control(made)
        made.door = Door(made)
        made.address = f"smtp://{made.door.host}:{made.door.port}"
        return made

    @contextmanager
    def served(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """The mailbox over HTTP; the mail server ends with it."""
        server = serve_http(self.app, host, port)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            self.door.close()

    def bad_day(self) -> Fault | None:
        return self._fault("mail.send", True)

    def noted(self, began: float, reply: str, message_id: str, fault: str) -> None:
        """One line in the call log; no address stands in it."""
        self.calls.append(
            Call(began, "mail.send", "SMTP", "/", int(reply[:3]), True, message_id, "", time.time() - began, fault)
        )

    def keep(self, envelope: Envelope, raw: bytes) -> str:
        """Accepts a mail: from here on it is ours."""
        mail = email.message_from_bytes(raw, policy=policy.default)
        row = {
            "message_id": str(mail["Message-ID"] or ""),
            "subject_of": str(mail["X-Waybill-Subject"] or ""),
            "subject": str(mail["Subject"] or ""),
            "sender": envelope.mail_from,
            "recipients": list(envelope.rcpt_tos),
            "raw": raw.decode(errors="replace"),
            "at": time.time(),
        }
        self.memory.put("messages", str(self.memory.next_id("messages")), row)
        return str(row["message_id"])


class Handler:
    """What the server says at each command."""

    def __init__(self, sim: MailSimulator) -> None:
        self._sim = sim

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._sim.bad_day()
        session.fault = fault  # type: ignore[attr-defined]  # ours, for DATA of the same mail
        if fault and fault.kind in AT_MAIL:
            reply = AT_MAIL[fault.kind].format(value=fault.value)
            self._sim.noted(time.time(), reply, "", fault.kind)
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = dict(self._sim.settings.get("refused", {})).get(address)
        if refused:
            self._sim.noted(time.time(), refused, "", "")
            return str(refused)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """After the final dot. `drop` forgets the mail, `commit_then_drop` keeps it, `commit_late` keeps it `value`
        seconds later."""
        began, raw = time.time(), bytes(envelope.original_content or b"")
        fault: Fault | None = getattr(session, "fault", None)
        kind = fault.kind if fault else ""
        if kind in AT_DATA:
            self._sim.noted(began, AT_DATA[kind], "", kind)
            return AT_DATA[kind]
        if fault and kind == "commit_late":
            asyncio.get_running_loop().call_later(fault.value, self._sim.keep, envelope, raw)
        kept = "" if kind in ("drop", "commit_late") else self._sim.keep(envelope, raw)
        self._sim.noted(began, "250 OK", kept, kind)
        if fault and kind == "slow":
            await asyncio.sleep(fault.value)
        if kind in CUT:
            await _cut(server, GARBLED.get(kind, b""))
        return "250 OK"


async def _cut(server: SMTP, last: bytes) -> None:
    """Says its last words, if any, and ends the connection."""
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.write(last)
        await asyncio.sleep(0.01 if last else 0)
        server.transport.abort()


class Door:
    """The SMTP side: an event loop in a thread of its own."""

    def __init__(self, sim: MailSimulator) -> None:
        self._sim, self._handler = sim, Handler(sim)
        self._loop = asyncio.new_event_loop()
        host, port = str(sim.settings.get("smtp_host", "127.0.0.1")), int(sim.settings.get("smtp_port", 0))
        self._server = self._loop.run_until_complete(self._loop.create_server(self._talk, host, port))
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-simulator", daemon=True)
        self._thread.start()

    def _talk(self) -> SMTP:
        settings, tls = self._sim.settings, self._tls()
        asks = bool(settings.get("username"))
        return SMTP(
            self._handler,
            hostname="mail.example",
            tls_context=tls,
            require_starttls=bool(settings.get("require_tls")),
            auth_required=asks,
            auth_require_tls=tls is not None,
            authenticator=self._known if asks else None,
            loop=self._loop,
        )

    def _tls(self) -> ssl.SSLContext | None:
        if not self._sim.settings.get("tls_cert"):
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._sim.settings["tls_cert"], self._sim.settings["tls_key"])
        return context

    def _known(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        settings = self._sim.settings
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (
            settings["username"],
            settings["password"],
        )
        return AuthResult(success=good, handled=False)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def _control(sim: MailSimulator) -> None:
    @sim.app.get("/_sim/effects")
    def effects() -> Response:
        """Accepted mails counted by Message-ID, and by what they are about (channel/order/shipment/occasion)."""
        with sim.memory.lock:
            rows = list(sim.memory.table("messages").values())
        return jsonify({"messages": _counted(rows, "message_id"), "mails": _counted(rows, "subject_of")})

    @sim.app.get("/_sim/messages")
    def messages() -> Response:
        with sim.memory.lock:
            return jsonify(list(sim.memory.table("messages").values()))

    @sim.app.get("/_sim/address")
    def address() -> Response:
        return jsonify({"smtp": sim.address})

    @sim.app.put("/_sim/settings")
    def switch() -> Response:
        sim.settings.update(request.get_json())
        return jsonify({"set": sorted(request.get_json())})


def _counted(rows: list[Row], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row[name]] = found.get(row[name], 0) + 1
    return found
