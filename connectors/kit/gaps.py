"""What is known to be missing or unproved of a connector, as its README says it: the sections whose title begins with "Not"."""

from __future__ import annotations

import re
from dataclasses import dataclass

SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!^## ).*\n?)*)", re.MULTILINE)
ITEM = re.compile(r"\n(?=- )|\n{2,}")  # a bullet or a paragraph begins
TITLE = "Not "


@dataclass(frozen=True, slots=True)
class Gaps:
    """A section: its title ("Not verified against a live shop") and its items, each one line of Markdown without its bullet."""

    title: str
    items: tuple[str, ...]


def gaps(readme: str) -> tuple[Gaps, ...]:
    """The gaps that a README names, in its order; empty where it has no such section. Pure."""
    return tuple(
        Gaps(found["title"].strip(), _items(found["text"]))
        for found in SECTION.finditer(readme)
        if found["title"].startswith(TITLE)
    )


def _items(text: str) -> tuple[str, ...]:
    joined = (" ".join(item.removeprefix("- ").split()) for item in ITEM.split(text.strip()))
    return tuple(item for item in joined if item)
