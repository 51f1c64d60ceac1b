"""Acme's own records, of all its roles, in the words that the judge shares with every system."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.acme.simulator_goods import OPENED
from labs.judge.evidence import Call, Done, Try
from local.story.facts import Asked, Books, Delivery, Outside, Parcel, Sold

Row = Mapping[str, Any]
Tables = Mapping[str, Any]
CHANNEL = "shop"


@dataclass(frozen=True)
class Records:
    """What each simulator's /_sim/state holds, by role: shop, erp, warehouse, letters."""

    shop: Tables
    erp: Tables
    warehouse: Tables
    letters: Tables

    def of(self, role: str, table: str) -> list[Row]:
        tables: Tables = getattr(self, role)
        return list(tables.get(table, {}).values())

    def made(self, role: str, kind: str) -> list[Row]:
        """Records that count: a draft is none yet."""
        return [row for row in self.of(role, kind) if row["state"] != "draft"]


def outside(records: Records, log: Iterable[Try], waiting: frozenset[tuple[str, str]]) -> Outside:
    """All that Acme's systems and the senders say. `waiting`: deliveries that are still to be tried."""
    asked_for = tuple(_asked_for(records))
    return Outside(
        sold=tuple(_sold(row) for row in records.of("shop", "orders")),
        books=_books(records),
        asked=asked_for,
        mails=_mails(records, asked_for),
        deliveries=tuple(deliveries(log, waiting)),
        shelf=_counted(records),
        offered={sku: _published(records).get(sku, -1) for sku in _counted(records)},
        channel=CHANNEL,
    )


# ---- the shop


def _sold(order: Row) -> Sold:
    """Its name is the mark that the customer left on it (the note), which every system is handed."""
    refunds = {one["id"]: _tenders(one["payments"]) for one in order["refunds"]}
    return Sold(
        id=order["id"],
        name=order["note"],
        kind=(order["tags"] or [""])[0],
        worth=Decimal(order["totals"]["total"]),
        currency=order["currency"],
        cancelled=bool(order["cancelled_at"]),
        wanted={line["sku"]: int(Decimal(line["quantity"])) for line in order["lines"]},
        email=order["customer"]["email"],
        refunds={name: tenders for name, tenders in refunds.items() if tenders},
        sent=tuple(_parcel(one, "shop") for one in order["shipments"]),
        number=order["acknowledged_as"],
    )


def _tenders(payments: Iterable[Row]) -> dict[str, Decimal]:
    moved: Counter[str] = Counter()
    for one in payments:
        moved[one.get("gateway") or one["method"]] += Decimal(one["amount"])  # type: ignore[assignment]
    return dict(moved)  # type: ignore[arg-type]


def _parcel(one: Row, origin: str) -> Parcel:
    pieces: Counter[str] = Counter()
    for line in one["lines"]:
        pieces[line["sku"]] += int(Decimal(line["quantity"]))
    return Parcel(f"{origin}-{one['id']}", frozenset(t["number"] for t in one["trackings"]), dict(pieces))


def _published(records: Records) -> dict[str, int]:
    told = records.shop.get("published", {})
    return {name.partition("@")[0]: int(Decimal(quantity)) for name, quantity in told.items()}


# ---- the ERP


def _books(records: Records) -> Books:
    bookings = records.made("erp", "bookings")
    refunds: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in records.made("erp", "credits"):
        name = (f"{CHANNEL}-{row['body']['order']}", row["reference"].partition("-")[2])
        back = refunds.setdefault(name, {})
        for tender, amount in _tenders(row["body"]["tenders"]).items():
            back[tender] = back.get(tender, Decimal(0)) + amount
    return Books(
        orders=Counter(row["reference"] for row in bookings),
        totals={row["reference"]: Decimal(row["body"]["total"]) for row in bookings},
        cancelled=frozenset(row["reference"] for row in bookings if row["state"] == "cancelled"),
        fulfilments=Counter(
            (f"{CHANNEL}-{row['body']['order']}", row["reference"]) for row in records.made("erp", "deliveries")
        ),
        refunds=refunds,
    )


def delivered_pieces(records: Records) -> dict[str, Decimal]:
    """Order -> pieces that the ERP holds as delivered."""
    found: dict[str, Decimal] = {}
    for row in records.made("erp", "deliveries"):
        pieces = sum((Decimal(line["quantity"]) for line in row["body"]["lines"]), Decimal(0))
        found[row["body"]["order"]] = found.get(row["body"]["order"], Decimal(0)) + pieces
    return found


# ---- the warehouse, and its letters


def _asked_for(records: Records) -> Iterator[Asked]:
    gone: dict[str, list[Parcel]] = {}
    for one in records.of("warehouse", "parcels"):
        gone.setdefault(one["request"], []).append(_parcel(one, "warehouse"))
    for row in records.made("warehouse", "requests"):
        parcels = tuple(gone.get(row["reference"], ()))
        yield Asked(row["reference"], row["body"]["note"], row["state"] == "cancelled", parcels)


def _counted(records: Records) -> dict[str, int]:
    """What somebody counted since the shelves were stocked."""
    rows = (row for row in records.of("warehouse", "stock") if row["updated_at"] != OPENED)
    return {row["sku"]: int(Decimal(row["available"])) for row in rows}


def _mails(records: Records, asked_for: Iterable[Asked]) -> dict[str, int]:
    """By channel, order, parcel and occasion, as the letter itself says them."""
    orders = {row["number"]: row["id"] for row in records.of("shop", "orders")}
    parcels = {number: parcel.id for one in asked_for for parcel in one.parcels for number in parcel.numbers}
    found: Counter[str] = Counter()
    for row in records.made("letters", "letters"):
        body = row["body"]
        about = parcels.get(body["trackings"][0], "") if body["trackings"] else ""
        found[f"{CHANNEL}/{orders.get(body['number'], '')}/{about}/{body['occasion']}"] += 1
    return dict(found)


# ---- senders


def deliveries(log: Iterable[Try], waiting: frozenset[tuple[str, str]]) -> Iterator[Delivery]:
    """Each delivery once, as its sender's log tells of it."""
    tries: dict[tuple[str, str], list[Try]] = {}
    for one in log:
        tries.setdefault((one.account, one.id), []).append(one)
    for (account, name), made in tries.items():
        taken = any(one.taken for one in made)
        fresh = any(one.fresh for one in made)
        yield Delivery(
            account, name, taken, fresh, any(one.forged for one in made), (account, name) in waiting and not taken
        )


# ---- changes in the order in which they came

WHAT = {
    "bookings.create": "booked",
    "bookings.confirm": "booked",
    "bookings.amend": "amended",
    "bookings.cancel": "cancelled",
    "deliveries.create": "delivered",
    "credits.create": "credited",
    "requests.create": "requested",
    "requests.cancel": "withdrawn",
}


# Carried out, whatever the caller heard of it; one that is done late counts from its arrival: nobody who looks it up may go on before it is there,
# and what a late change would undo is seen by how the system ended.
UNHEARD = frozenset(("commit_then_drop", "commit_late", "slow", "truncated", "wrong_type"))


def done(calls: Iterable[Call], records: Records) -> Iterator[Done]:
    """The writes that ERP and warehouse carried out, by their own record of calls. A write of a dropped answer was carried out, too."""
    by_id = {
        row["id"]: row
        for role, kind in (("erp", "bookings"), ("warehouse", "requests"))
        for row in records.of(role, kind)
    }
    marks = {row["note"]: row["id"] for row in records.of("shop", "orders")}
    for call in calls:
        what = WHAT.get(call.operation)
        carried_out = call.answered_well or call.fault in UNHEARD
        if what is None or call.system not in ("erp", "warehouse") or not carried_out or call.body.get("draft"):
            continue
        body = call.body or by_id.get(call.path.split("/")[3], {}).get("body", {})
        subject = str(body.get("order") or marks.get(body.get("note", ""), ""))
        if subject:
            yield Done(call.system, call.at, subject, what, _content(body))


def now_at(records: Records) -> dict[tuple[str, str], str]:
    """(system, order) -> the address that it ended with, for what lives there."""
    marks = {row["note"]: row["id"] for row in records.of("shop", "orders")}
    booked = {
        ("erp", str(row["body"]["order"])): _content(row["body"])
        for row in records.made("erp", "bookings")
        if row["state"] != "cancelled"
    }
    asked_for = {
        ("warehouse", marks.get(row["body"]["note"], "")): _content(row["body"])
        for row in records.made("warehouse", "requests")
        if row["state"] == "open"
    }
    return {**booked, **asked_for}


def _content(body: Row) -> str:
    return str((body.get("ship_to") or {}).get("line1", ""))


def call(system: str, row: Row) -> Call:
    """A row of /_sim/calls."""
    try:
        body = json.loads(row["body"]) if row["body"] else {}
    except ValueError:
        body = {}
    return Call(
        system,
        float(row["at"]),  # a desk that keeps numbers exact tells a Decimal
        row["operation"],
        row["method"],
        row["path"],
        row["status"],
        row["write"],
        float(row["seconds"]),
        row["fault"],
        body if isinstance(body, dict) else {},
    )
