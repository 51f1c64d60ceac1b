"""The fields of NetSuite's records (REST API Browser 2026.1) that the hub has a use for, with their types."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.netsuite.simulator_errors import Refused

TEXT, NUMBER, FLAG, DAY, REF, ROWS, GROUP = "text", "number", "flag", "day", "ref", "rows", "group"


def _typed(**names: str) -> dict[str, str]:
    return {name: kind for kind, listed in names.items() for name in listed.split()}


ADDRESS = _typed(text="addr1 addr2 addr3 addrPhone addressee attention city state zip", ref="country", flag="override")
DETAIL = _typed(
    number="taxAmount taxBasis taxRate netAmount", text="taxType lineType lineName", ref="taxCode taxDetailsReference"
)
LINE = _typed(
    ref="item price location taxCode units class department",
    number="quantity rate amount line orderLine",
    text="description taxDetailsReference",
    flag="isClosed isTaxable itemReceive",
)
APPLIED = _typed(ref="doc", flag="apply", number="amount line")
SALE = _typed(
    ref="entity currency location subsidiary shipMethod discountItem orderStatus class department terms "
    "salesChannel customForm partner",
    text="externalId memo email otherRefNum tranId",
    number="shippingCost discountRate handlingCost exchangeRate",
    day="tranDate shipDate",
    flag="taxDetailsOverride shipComplete toBeEmailed isTaxable",
    rows="item taxDetails giftCertRedemption",
    group="shippingAddress billingAddress",
)
FIELDS: dict[str, dict[str, str]] = {
    "customer": _typed(
        text="externalId entityId firstName lastName companyName email phone comments",
        flag="isPerson isInactive taxable",
        ref="subsidiary currency category priceLevel terms",
        rows="addressBook",
    ),
    "salesOrder": SALE,
    "creditMemo": {
        name: kind for name, kind in SALE.items() if name not in ("orderStatus", "giftCertRedemption", "shipComplete")
    },
    "itemFulfillment": _typed(
        text="externalId memo tranId",
        day="tranDate",
        ref="shipStatus shipMethod inventoryLocation",
        rows="item package",
    ),
    "customerRefund": _typed(
        text="externalId memo tranId",
        day="tranDate",
        ref="customer currency paymentOption account subsidiary location",
        rows="apply deposit",
    ),
    "customerDeposit": _typed(
        text="externalId memo tranId",
        day="tranDate",
        ref="customer salesOrder currency paymentOption account subsidiary location",
        number="payment",
    ),
    "depositApplication": _typed(text="externalId memo tranId", day="tranDate", ref="currency location", rows="apply"),
    "returnAuthorization": {
        name: kind
        for name, kind in SALE.items()
        if name not in ("shipComplete", "giftCertRedemption", "shippingCost", "handlingCost", "shipMethod", "shipDate")
    },
    "inventoryTransfer": _typed(
        text="externalId memo tranId",
        day="tranDate",
        ref="location transferLocation subsidiary class department",
        rows="inventory",
    ),
    "purchaseOrder": _typed(
        text="externalId memo tranId email otherRefNum",
        day="tranDate dueDate shipDate",
        ref="entity currency location subsidiary orderStatus shipTo terms class department",
        number="exchangeRate",
        rows="item",
        group="shippingAddress billingAddress",
    ),
    "itemReceipt": _typed(
        text="externalId memo tranId", day="tranDate", ref="location subsidiary currency", rows="item"
    ),
    "invoice": {name: kind for name, kind in SALE.items() if name not in ("orderStatus", "shipComplete")},
    "cashSale": {
        **{name: kind for name, kind in SALE.items() if name not in ("orderStatus", "shipComplete")},
        "paymentOption": REF,
    },
}
INSIDE: dict[str, dict[str, str]] = {
    "item": LINE,
    "taxDetails": DETAIL,
    "giftCertRedemption": _typed(ref="authCode", number="authCodeApplied"),
    "package": _typed(text="packageTrackingNumber packageDescr packageCartonNumber", number="packageWeight"),
    "apply": APPLIED,
    "inventory": _typed(ref="item", number="adjustQtyBy line", text="description units serialNumbers"),
    "deposit": {name: kind for name, kind in APPLIED.items() if name != "line"},
    "shippingAddress": ADDRESS,
    "billingAddress": ADDRESS,
    "addressBook": _typed(flag="defaultBilling defaultShipping", text="label", group="addressBookAddress"),
}
CUSTOM = ("custbody", "custcol", "custentity")


def examine(record: str, body: Any, names_too: bool) -> None:
    """Refuses a body with a value of the wrong type, or (with property name validation) a field that there is not."""
    if not isinstance(body, Mapping):
        raise Refused("Invalid content in the request body: not a JSON object.", "INVALID_CONTENT")
    _examine(FIELDS[record], body, "", names_too)


def _examine(fields: Mapping[str, str], body: Mapping[str, Any], path: str, names_too: bool) -> None:
    for name, given in body.items():
        kind = fields.get(name)
        if kind is None and names_too and not name.startswith(CUSTOM):
            raise Refused(f"Unknown field '{name}'.", "INVALID_CONTENT", path + name)
        if kind is not None and not _fits(kind, given):
            raise Refused(f"The value of field '{name}' is not a {kind}.", "INVALID_CONTENT", path + name)
        if kind == ROWS:
            for index, row in enumerate(given.get("items", ())):
                _examine(INSIDE[name], row, f"{path}{name}.items[{index}].", names_too)
        if kind == GROUP and name in INSIDE:
            _examine(INSIDE[name], given, f"{path}{name}.", names_too)


def _fits(kind: str, given: Any) -> bool:
    if kind == REF:
        return isinstance(given, Mapping) and bool(given.get("id") or given.get("externalId"))
    if kind == ROWS:
        return (
            isinstance(given, Mapping)
            and isinstance(given.get("items"), list)
            and all(isinstance(r, Mapping) for r in given["items"])
        )
    kinds: dict[str, tuple[type, ...]] = {
        NUMBER: (int, Decimal),
        FLAG: (bool,),
        GROUP: (Mapping,),
        TEXT: (str,),
        DAY: (str,),
    }
    return isinstance(given, kinds[kind]) and not (kind == NUMBER and isinstance(given, bool))
