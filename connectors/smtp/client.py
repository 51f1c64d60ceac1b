"""One mail in one SMTP conversation, with the instant in which its fate is unknown kept as short as the protocol
lets it be."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Exchange, Http
from connectors.smtp.mapping import Letter

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
OPERATION = "mail.send"
LOCAL = ("127.0.0.1", "::1", "localhost")


class Plain(smtplib.SMTP):
    """smtplib's client, made without connecting (its constructor would, unwatched); `_host` is its note of the
    certificate's name."""

    _host: str


class Tls(smtplib.SMTP_SSL):
    """The same with TLS from the start."""

    _host: str


@dataclass
class Talk:
    """A conversation under way: what was said last, and whether DATA's final dot is out."""

    server: Plain | Tls
    replies: list[str] = field(default_factory=list)
    code: int = 0
    stage: str = "greeting"
    dotted: bool = False

    def said(self, code: int, text: bytes) -> int:
        self.code = code
        self.replies.append(f"{code} {text.decode(errors='replace')}")
        return code


def deliver(http: Http, letter: Letter) -> None:
    """Hands one letter to the account's server; returns once it is accepted (250).

    Raises Transient (nothing happened), Throttled, Unauthorized, Rejected (refused for good), Ambiguous (no answer
    after the final dot).
    Takes the limiter and checks the lease as kit/http does, and again right before the dot; the exchange is
    recorded, secrets left out.
    """
    with http.limits.leave(http.account.name, OPERATION, 1):
        http.guard()
        began, error = time.monotonic(), ""
        talk = Talk(_server(http.account))
        try:
            with _within(talk, float(http.account.settings.get("patience", 30))):
                _converse(talk, http, letter)
        except (smtplib.SMTPException, OSError) as broken:
            error = type(broken).__name__
            raise _broken(talk, broken) from broken
        except Trouble as trouble:
            error = trouble.code
            raise
        finally:
            _hang_up(talk)
            http.tap(_exchange(http.account, letter, talk, time.monotonic() - began, error))


@contextmanager
def _within(talk: Talk, seconds: float) -> Iterator[None]:
    """The whole conversation in so many seconds: a server that drips byte by byte is cut off too."""
    watch = threading.Timer(seconds, lambda: _cut(talk))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _cut(talk: Talk) -> None:
    if talk.server.sock is not None:
        with contextlib.suppress(OSError):
            talk.server.sock.shutdown(socket.SHUT_RDWR)


def _converse(talk: Talk, http: Http, letter: Letter) -> None:
    _open(talk, http.account)
    _sign_in(talk, http.account)
    server = talk.server
    talk.stage = "sender"
    _expect(talk, server.mail(letter.sender), (250,))
    talk.stage = "recipient"
    _expect(talk, server.rcpt(letter.recipient), (250, 251))
    talk.stage = "data"
    _expect(talk, server.docmd("DATA"), (354,))
    server.send(_stuffed(letter.raw))
    http.guard()
    talk.dotted = True
    server.send(b".\r\n")
    _expect(talk, server.getreply(), (250,))


def _server(account: Account) -> Plain | Tls:
    at, helo = urlsplit(account.base_url), str(account.settings.get("helo", "waybill.invalid"))
    if at.scheme not in PORTS or not at.hostname:
        sentence = "The account's address is none of smtp://, smtp+starttls://, smtps://."
        raise Rejected(sentence, code="bad_base_url", field="base_url")
    if at.scheme == "smtp" and at.hostname not in LOCAL and account.credentials.get("username"):
        remedy = "Use smtp+starttls:// or smtps://."
        raise Rejected("A password is not sent without TLS.", code="tls_required", field="base_url", remedy=remedy)
    if at.scheme == "smtps":
        server: Plain | Tls = Tls(local_hostname=helo, timeout=account.timeout, context=_trust(account))
    else:
        server = Plain(local_hostname=helo, timeout=account.timeout)
    server._host = at.hostname
    return server


def _trust(account: Account) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=account.settings.get("ca_file"))


def _open(talk: Talk, account: Account) -> None:
    at = urlsplit(account.base_url)
    _expect(talk, talk.server.connect(at.hostname or "", at.port or PORTS[at.scheme]), (220,))
    _expect(talk, talk.server.ehlo(), (250,))
    if at.scheme == "smtp+starttls":
        talk.stage = "tls"
        _expect(talk, talk.server.starttls(context=_trust(account)), (220,))
        _expect(talk, talk.server.ehlo(), (250,))


def _sign_in(talk: Talk, account: Account) -> None:
    user, password = account.credentials.get("username", ""), account.credentials.get("password", "")
    if not user:
        return
    talk.stage = "auth"
    if not (user + password).isascii():
        raise Rejected("User and password must be plain ASCII here.", code="bad_credentials", field="credentials")
    talk.said(*talk.server.login(user, password))


def _stuffed(raw: bytes) -> bytes:
    """The message for DATA: a line that begins with a dot gets another (RFC 5321, 4.5.2); it ends with a line end."""
    return re.sub(rb"(?m)^\.", b"..", raw if raw.endswith(b"\r\n") else raw + b"\r\n")


def _expect(talk: Talk, reply: tuple[int, bytes], wanted: tuple[int, ...]) -> None:
    """What is no SMTP reply at all (a portal's page, half a line) says nothing: as if the connection had broken."""
    if talk.said(*reply) in wanted:
        return
    if not 200 <= talk.code < 600:
        raise smtplib.SMTPServerDisconnected("no SMTP reply")
    raise refused(talk.stage, *reply)


def refused(stage: str, code: int, text: bytes) -> Trouble:
    """What a reply that we did not want means: 4xx later, 5xx never, by who or what is refused. Addresses in it are
    masked."""
    said = re.sub(r"\S+@\S+", "***", text.decode(errors="replace")).replace("\n", " ").strip()
    words = f"The mail server says {code}: {said[:200]}"
    if 400 <= code < 500:
        slow_down = code == 421 or re.search(r"4\.7\.|rate|too (many|fast|much)", said, re.IGNORECASE)
        wait = re.search(r"\b(\d{1,5}) ?s(ec(ond)?s?)?\b", said)
        later = Throttled(words, code="throttled", retry_after=float(wait[1]) if wait else None)
        return later if slow_down else Transient(words, code=f"smtp_{code}")
    if code in (530, 534, 535, 538) or stage == "auth":
        return Unauthorized(f"The mail server refuses our credentials. {words}")
    field, code_, remedy = REFUSED.get(stage, ("", f"smtp_{code}", "Ask whoever runs the mail server."))
    return Rejected(words, code=code_, field=field, remedy=remedy)


REFUSED: Mapping[str, tuple[str, str, str]] = {
    "sender": ("settings.sender", "bad_sender", "Let the mail server accept this sender, or set another."),
    "recipient": ("order.email", "bad_recipient", "Correct the e-mail address in the shop, or edit it here and retry."),
    "data": ("", "mail_refused", "The server refuses this mail (size, content, policy): ask whoever runs it."),
}


def _broken(talk: Talk, broken: Exception) -> Trouble:
    """The connection's end before the dot did nothing; after it the mail may have been accepted."""
    if isinstance(broken, smtplib.SMTPResponseException) and not talk.dotted:
        return refused(talk.stage, *_reply(broken))
    if isinstance(broken, smtplib.SMTPNotSupportedError) or type(broken) is smtplib.SMTPException:
        return Rejected(
            "The mail server does not offer what the account asks of it.",
            code="not_offered_there",
            field="base_url",
            remedy="Check the address's scheme (TLS) and whether the server takes credentials.",
        )
    if isinstance(broken, ssl.SSLCertVerificationError):
        return Rejected(
            "The mail server's certificate is not to be trusted.",
            code="bad_certificate",
            field="base_url",
            remedy="Correct the host name, or name the relay's own certificate in settings.ca_file.",
        )
    if talk.dotted:
        return Ambiguous("The connection broke after the mail was sent and before the server answered.")
    return Transient("The mail server cannot be reached or broke off before it had the mail.", code="unreachable")


def _reply(broken: smtplib.SMTPResponseException) -> tuple[int, bytes]:
    said = broken.smtp_error
    return broken.smtp_code, said if isinstance(said, bytes) else str(said).encode()


def _hang_up(talk: Talk) -> None:
    """The mail's fate is settled (or known to be unknown) by now: a bad good-bye changes nothing."""
    if talk.server.sock is None:
        return
    if talk.code == 250 and talk.dotted:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            talk.server.quit()
    talk.server.close()


def _exchange(account: Account, letter: Letter, talk: Talk, seconds: float, error: str) -> Exchange:
    """The envelope and the mail stand in the body, where personal data may; the credentials nowhere."""
    at = urlsplit(account.base_url)
    envelope = f"MAIL FROM:<{letter.sender}>\r\nRCPT TO:<{letter.recipient}>\r\n\r\n".encode()
    return Exchange(
        operation=OPERATION,
        method="SMTP",
        url=f"{at.scheme}://{at.hostname}:{at.port or PORTS.get(at.scheme, 0)}",
        request_headers={
            "message-id": letter.message_id.strip("<>").partition("@")[0],
            "x-waybill-occasion": letter.occasion,
        },
        request=envelope + letter.raw,
        status=talk.code,
        answer_headers={"stage": talk.stage},
        answer="\r\n".join(talk.replies).encode(),
        seconds=seconds,
        error=error,
    )
