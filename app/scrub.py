"""What leaves the hub in logs, traces and alarms carries no secret and nothing about a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET = re.compile(r"(?i)token|secret|passw|authori[sz]ation|cookie|hmac|signature|api.?key|credential|private|dsn")
PERSONAL = re.compile(
    r"(?i)e.?mail|phone|first_?name|last_?name|customer|recipient|address|postcode|zip|street|body|payload"
)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
PHONE = re.compile(r"(?<![\w.:-])\+?\d[\d ()/-]{8,}\d(?![\w.:-])")
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
# What a database driver appends to its words: the statement, its parameters, the row's own values; also as an error's repr() writes them.
STATEMENT = re.compile(r"\s*(\n?\[SQL:|\[parameters:|(\n|\\n)(DETAIL|CONTEXT):).*", re.DOTALL)
MASK = "***"
LONGEST = 2_000


def words(text: str) -> str:
    """A sentence without mail addresses, what could be a phone number, passwords in URLs, a statement's values."""
    text = STATEMENT.sub("", text[: LONGEST * 4])
    for pattern in (USERINFO, EMAIL, PHONE):
        text = pattern.sub(MASK + "@" if pattern is USERINFO else MASK, text)
    return text[:LONGEST]


def values(value: Any, name: str = "") -> Any:
    """The same tree, masked by the names of its fields and then by what the text looks like."""
    if name and (SECRET.search(name) or PERSONAL.search(name)):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): values(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [values(item) for item in value]
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return words(value) if isinstance(value, str) else value
