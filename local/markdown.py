"""Tables and times as Markdown has them, for the pages that are generated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty where there are no rows."""
    made = [_row(row) for row in rows]
    return "\n".join([_row(head), "|" + "---|" * len(head), *made]) if made else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(_cell(cell).split()) for cell in cells) + " |"


def _cell(text: str) -> str:
    """A cell's text: a bar would end it, and <words> outside of code would be taken for HTML."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part.replace("<", "\\<") if n % 2 == 0 else part for n, part in enumerate(parts))


def titled(title: str, text: str) -> str:
    """A section; empty where it has no text."""
    return f"## {title}\n\n{text}" if text else ""


def code(text: str) -> str:
    return f"`{text}`"


def joined(parts: Iterable[str]) -> str:
    """Parts with a blank line between, those that are empty left out; ends with one newline."""
    return "\n\n".join(part for part in parts if part) + "\n"
