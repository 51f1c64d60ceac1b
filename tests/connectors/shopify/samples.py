"""What the sample files hold: every object of a kind that Shopify tells us about, wherever in a file it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simplejson

SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "shopify"
Json = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """One object: its file, its path there, its kind ("order", "graphql order" ...)."""

    file: str
    path: str
    kind: str
    body: Json

    @property
    def name(self) -> str:
        return f"{self.file}{self.path}"


def files() -> list[Path]:
    return sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix in (".json", ".csv"))


def found_in(path: Path) -> list[Found]:
    """Every object of a supported kind in a file; none where it holds other things."""
    if path.suffix != ".json":
        return []
    body = simplejson.loads(path.read_text(), use_decimal=True)
    file = str(path.relative_to(SAMPLES))
    return [Found(file, where, kind, one) for where, kind, one in _walk(body, "")]


def _walk(value: Any, path: str) -> Iterator[tuple[str, str, Json]]:
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from _walk(item, f"{path}[{n}]")
    if isinstance(value, str) and value.startswith('{"'):  # a recorded body
        yield from _walk(simplejson.loads(value, use_decimal=True), path)
    if not isinstance(value, dict):
        return
    kind = next((name for name, fits in KINDS.items() if fits(value)), None)
    if kind is not None:
        yield path, kind, value
    for name, item in value.items():
        # What an order holds is read with it; what was asked for is no answer.
        if kind not in ("order", "order edit", "refund", "fulfillment", "draft order", "checkout") and name not in (
            "variables",
            "query",
        ):
            yield from _walk(item, f"{path}.{name}")


def _gid(value: Json, kind: str) -> bool:
    return str(value.get("id", "")).startswith(f"gid://shopify/{kind}/")


def _nodes(value: Json, name: str) -> list[Json]:
    return list((value.get(name) or {}).get("nodes") or ())


def _priced(value: Json) -> bool:
    """The recorded query selects a total and what it is made of."""
    lines = _nodes(value, "lineItems")
    placed = "currentTotalPriceSet" in value and not any("currentQuantity" in line for line in lines)
    return (
        ("totalPriceSet" in value or placed) and bool(lines) and all("originalUnitPriceSet" in line for line in lines)
    )


KINDS: dict[str, Callable[[Json], bool]] = {
    "checkout": lambda v: "abandoned_checkout_url" in v,
    "draft order": lambda v: "line_items" in v and "invoice_url" in v,
    "cart": lambda v: "line_items" in v and "token" in v and "total_price" not in v,
    "order": lambda v: "line_items" in v and "id" in v and bool({"total_price", "total_tax"} & v.keys()),
    "order edit": lambda v: "order_edit" in v or ("staff_note" in v and "order_id" in v),
    "refund": lambda v: "refund_line_items" in v and "transactions" in v,
    "fulfillment": lambda v: "tracking_company" in v and "line_items" in v and "order_id" in v,
    "inventory level": lambda v: {"inventory_item_id", "location_id", "available"} <= v.keys(),
    "product": lambda v: (
        "variants" in v and "title" in v and isinstance(v["variants"], list) and not _gid(v, "Product")
    ),
    "graphql order": lambda v: _gid(v, "Order") and _priced(v),
    "graphql refund": lambda v: _gid(v, "Refund") and "refundLineItems" in v and "transactions" in v,
    "graphql fulfillment": lambda v: _gid(v, "Fulfillment") and "status" in v and "fulfillmentLineItems" in v,
    "graphql inventory level": lambda v: _gid(v, "InventoryLevel") and "quantities" in v and "location" in v,
}
