"""A body is read whole, within its size before and after decompression, or not at all."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import IO, Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

PIECE = 65_536
GZIP, ZLIB, RAW = 31, 15, -15  # zlib's own words for the three shapes
# RFC 9110, 8.4.1: "deflate" means zlib, but some senders leave zlib's header out.
CODINGS = {"gzip": (GZIP,), "x-gzip": (GZIP,), "deflate": (ZLIB, RAW)}


@dataclass
class Unacceptable(Exception):
    """A delivery that is not taken: the status that says so, the word it is counted under, and a sentence."""

    status: int
    reason: str
    sentence: str


def read(environ: dict[str, Any], most: int) -> bytes:
    """The body as its sender wrote it, of at most `most` bytes on the wire and after inflating.

    Raises Unacceptable: 413 too large (whatever Content-Length claims), 415 unknown coding, 400 cut short or broken.
    """
    raw = _wire(environ, most)
    named = [name.strip().lower() for name in environ.get("HTTP_CONTENT_ENCODING", "").split(",") if name.strip()]
    codings = [name for name in named if name != "identity"]
    if not codings:
        return raw
    if len(codings) > 1 or codings[0] not in CODINGS:
        raise Unacceptable(415, "coding", "Only gzip and deflate are understood, once.")
    return _inflated(raw, CODINGS[codings[0]], most)


def _wire(environ: dict[str, Any], most: int) -> bytes:
    try:
        stream: IO[bytes] = get_input_stream(environ, max_content_length=most)
        parts, size = [], 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > most:
                raise RequestEntityTooLarge
            parts.append(piece)
    except RequestEntityTooLarge:
        raise _too_large(most) from None
    except (ClientDisconnected, OSError):
        raise Unacceptable(400, "cut short", "The body ended before its length.") from None
    return b"".join(parts)


def _inflated(raw: bytes, shapes: tuple[int, ...], most: int) -> bytes:
    for shape in shapes:
        try:
            return _inflate(raw, shape, most)
        except zlib.error:
            continue
    raise Unacceptable(400, "coding", "The body is not what its Content-Encoding says.")


def _inflate(raw: bytes, shape: int, most: int) -> bytes:
    """Inflates no further than the cap: a bomb costs its first `most` bytes. gzip may hold several members."""
    out = b""
    while raw:
        member = zlib.decompressobj(shape)
        out += member.decompress(raw, most + 1 - len(out))
        if len(out) > most:
            raise _too_large(most)
        if not member.eof:
            raise Unacceptable(400, "cut short", "The compressed body ends too early.")
        raw = member.unused_data
    return out


def _too_large(most: int) -> Unacceptable:
    return Unacceptable(413, "too large", f"More than {most} bytes are not taken.")
