"""What an address or a form says: filters, keys, the reason for an action, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.journal.reading.rows import number


def given(*names: str) -> dict[str, Any]:
    """The filters that the address names; `before` is a key."""
    said: dict[str, Any] = {name: request.args.get(name, "").replace("\x00", "")[:200] for name in names}
    return {**{name: word for name, word in said.items() if word}, "before": number(request.args.get("before"))}


def reason() -> str:
    """Why somebody does it: no action goes without."""
    said = request.form.get("reason", "").replace("\x00", "").strip()[:500]
    if not said:
        abort(400, "An action needs a reason.")
    return said


def chosen(name: str) -> list[str]:
    """The marked rows."""
    return [word for word in request.form.getlist(name) if word][:1000]


def back(message: str, tone: str = "good", fallback: str = "admin.index") -> ResponseReturnValue:
    """To the page where the button stood, with what became of it."""
    flash(message, tone)
    return redirect(inside(request.form.get("back", ""), fallback))


def inside(target: str, fallback: str) -> str:
    """An address to go to, if it is a page of ours; anything else is somebody's trick."""
    parts = urlsplit(target)
    ours = not parts.scheme and not parts.netloc and target.startswith("/admin") and "\\" not in target
    return target if ours else url_for(fallback)


def many(n: int, one: str) -> str:
    """1 step, 3 steps."""
    return f"{n:,} {one}{'' if n == 1 else 's'}"
