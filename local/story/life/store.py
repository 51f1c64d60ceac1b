"""What the people of the store do by our API: take what they are asked for, send it, or set it out and hand it over to who shows the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.story.life.scenes import Life

SHOWN = re.compile(r"Show this code there: (\d{6})")
Json = dict[str, Any]


def turn(life: Life, waybills: set[str]) -> None:
    """Until its part of each of these orders has left the store, or patience ends."""
    done: set[str] = set()

    def all_done() -> bool:
        for one in life.store.must("GET", "/fulfilments")["fulfilments"]:
            if _ended(life, one):
                done.add(one["waybill"])
        return done >= waybills

    life.waits(all_done)


def _ended(life: Life, one: Json) -> bool:
    where = f"/fulfilments/{one['number']}"
    if "acceptances" in one["may"]:
        one = life.store.must("POST", f"{where}/acceptances")
    if one["method"] == "ship" and one["eligible"] and "shipments" in one["may"]:
        life.store.must(
            "POST", f"{where}/shipments", {"trackings": [{"number": f"ST{one['number']}", "carrier": "dhl"}]}
        )
        return True
    if "preparations" in one["may"] and one["eligible"]:
        one = life.store.must("POST", f"{where}/preparations")
    code = _code(life, one["waybill"]) if one["state"] == "ready" else ""
    if code:
        life.store.must("POST", f"{where}/collections", {"code": code})
    return bool(code)


def _code(life: Life, waybill: str) -> str:
    """What stands in the customer's mail; empty until it is there."""
    name = next((name for name, made in life.waybills.items() if made == waybill), "")
    for mail in life.stage.desks["mail"].get("state").get("messages", {}).values():
        if name and f"{name.lower()}@example.com" in mail["recipients"] and "ready" in mail["subject"]:
            found = SHOWN.search(mail["raw"])
            if found:
                return found.group(1)
    return ""
