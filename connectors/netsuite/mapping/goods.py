"""Goods that came back without money: an authorization of no amount, a receipt for each condition, a transfer once they were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnLine
from connectors.kit.amounts import ZERO
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import lines, names, returning
from connectors.netsuite.mapping.policy import Policy

SELLABLE = "sellable"
Counts = dict[int, Decimal]  # line of the sales order -> how many


def place(condition: str, location: str, policy: Policy) -> str:
    """NetSuite's location for pieces of a condition: where they came in, else the one that the account keeps for it.

    Raises Rejected where it names none (`conditions`): what may not be sold must not lie among what may.
    """
    if condition in ("", SELLABLE):
        return policy.codes.theirs("location", location) if location else policy.location
    if not policy.conditions.get(condition):
        raise policy.lacking(f"conditions.{condition}", f"a location for what is {condition}")
    return str(policy.conditions[condition])


def counted(order: Order, returned: Return, record: Mapping[str, Any], policy: Policy) -> dict[str, Counts]:
    """Condition -> how many of each line of the sales order came in. Raises Rejected(code="line_unknown")."""
    matched = lines.match(order, lines.booked(record, policy), policy)
    found: dict[str, Counts] = {}
    for index, line in enumerate(returned.lines):
        if not line.received_quantity:
            continue
        if line.line_id not in matched:
            raise _unknown(line, index)
        counts = found.setdefault(line.condition or SELLABLE, {})
        number = matched[line.line_id].number
        counts[number] = counts.get(number, ZERO) + line.received_quantity
    return dict(sorted(found.items()))


def authorization(
    order: Order, returned: Return, record: Mapping[str, Any], came: Mapping[str, Counts], policy: Policy
) -> dict[str, Any]:
    """The transform's body: what came in at no amount, so that nothing of it is ever credited."""
    whole: Counts = {}
    for counts in came.values():
        for number, quantity in counts.items():
            whole[number] = whole.get(number, ZERO) + quantity
    items = [{"orderLine": number, "quantity": quantity, "amount": ZERO} for number, quantity in whole.items()]
    body: dict[str, Any] = {
        "externalId": names.of_authorization(order, returned.id),
        "orderStatus": returning.PENDING_RECEIPT,
        "memo": f"{order.number} {returned.number or returned.id}".strip(),
        "item": {"items": [*items, *returning.others(lines.booked(record, policy), list(whole))]},
    }
    if returned.at:
        body["tranDate"] = policy.day(returned.at)
    if record.get("discountItem"):
        body["discountRate"] = ZERO
    if record.get("taxDetailsOverride"):
        body |= {"taxDetailsOverride": True, "taxDetails": {"items": []}}
    return body


def receipt(authorized: Mapping[str, Any], counts: Counts, location: str, policy: Policy) -> dict[str, Any]:
    """The receipt of what came in in one condition; lines that it does not name would be received too."""
    items = []
    for told in authorized.get("item", {}).get("items", ()):
        (row,) = lines.booked({"item": {"items": [told]}}, policy)
        quantity = counts.get(int(told.get("orderLine") or 0), ZERO)
        if quantity:
            where = {"location": {"id": location}} if location else {}
            items.append({"orderLine": row.number, "itemReceive": True, "quantity": quantity, **where})
        elif row.quantity > Decimal(str(told.get("quantityReceived") or 0)):
            items.append({"orderLine": row.number, "itemReceive": False})
    return {"item": {"items": items}}


def transfer(
    order: Order,
    returned: Return,
    goes: str,
    part: Sequence[ReturnLine],
    items: Mapping[str, str],
    key: str,
    policy: Policy,
) -> dict[str, Any]:
    """Pieces out of quarantine, to where they go. `items`: line of ours -> NetSuite's item."""
    rows = [
        {"item": {"id": items[line.line_id]}, "adjustQtyBy": line.received_quantity or line.quantity} for line in part
    ]
    body: dict[str, Any] = {
        "externalId": names.of_disposition(order, returned.id, goes, key),
        "location": {"id": place("quarantined", returned.location, policy)},
        "transferLocation": {"id": place(goes, returned.location, policy)},
        "memo": f"{order.number} {returned.number or returned.id}: {goes}",
        "inventory": {"items": rows},
    }
    return {**body, **({"subsidiary": {"id": policy.subsidiary}} if policy.subsidiary else {})}


def _unknown(line: ReturnLine, index: int) -> Rejected:
    return Rejected(
        f"{line.sku or line.line_id} came back, but the sales order in NetSuite has no such line.",
        code="line_unknown",
        field=f"lines[{index}].line_id",
        remedy="Add the line to the sales order in NetSuite, or correct the return, then retry.",
        owner="logistics",
    )
