"""An order of the simulated shop, built from a compact spec as its webhook carries it, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.shopify.simulator_sums import NOTHING, Currencies, Sum, read, total, written

Json = dict[str, Any]
Ids = Callable[[str], int]
NAMES = ("Ana", "Ben", "Cleo", "Dov", "Edda", "Finn", "Gita", "Hugo")
PLACES = {
    "DE": ("Musterweg", "Köln", "Nordrhein-Westfalen", "NW", "50667", "Germany"),
    "CH": ("Beispielgasse", "Zürich", "Zürich", "ZH", "8001", "Switzerland"),
}


OFTEN = ("shopify_payments",)  # only its authorisations may be captured several times


def build(spec: Json, number: int, ids: Ids, products: dict[str, Json], location: int, now: str) -> Json:
    """The order: totals are the sums of its parts in each currency. `_` keys are the shop's own and never sent."""
    currency = spec.get("currency", "EUR")
    seen = str(spec.get("presentment_currency", currency))
    money = Currencies(currency, seen, Decimal(spec.get("rate", 1)))
    lines = [_line(item, spec, money, ids, products) for item in _wanted(spec)]
    shipping = _shipping(spec, money, ids)
    applications = _discount(spec, lines, shipping, money)
    _tax(spec, lines, shipping, money)
    _duties(spec, lines, money, ids)
    if spec.get("tip"):
        lines.append(_tip(spec, money, ids))
    order = {
        **_head(spec, number, ids, now, money, location),
        "discount_applications": applications,
        "discount_codes": _codes(applications, lines, shipping, money),
        "line_items": lines,
        "shipping_lines": shipping,
        "fulfillments": [],
        "refunds": [],
        "returns": [],
        **_parties(spec, ids),
        "_kind": spec.get("kind", "plain"),
        "_fee": written(Decimal(spec.get("fee", 0)), seen),
        "_rounding": spec.get("rounding", "0"),
        "_transactions": [],
        "_metafields": {},
        "_returns": [],
    }
    _pay(spec, order, money, ids, now)
    order["_fulfillment_orders"] = _fulfillment_orders(order, ids, location)
    return order


def currencies(order: Json) -> Currencies:
    shop, seen = order["total_price_set"]["shop_money"], order["total_price_set"]["presentment_money"]
    return Currencies(shop["currency_code"], seen["currency_code"], Decimal(order["_rate"]))


def _wanted(spec: Json) -> list[Json]:
    if not spec.get("bundle"):
        return list(spec.get("lines") or [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}])
    parts = [{"sku": "WB-MUG", "quantity": 1, "price": "7.00"}, {"sku": "WB-SOAP", "quantity": 2, "price": "4.00"}]
    return [*(spec.get("lines") or ()), *({**part, "group": 70001} for part in parts)]


def _line(item: Json, spec: Json, money: Currencies, ids: Ids, products: dict[str, Json]) -> Json:
    product: Json = products.get(item["sku"], {"title": item["sku"], "price": "10.00"})
    factor = Decimal(1) if "price" in item else Decimal(spec.get("price_factor", 1))
    price = money.of(Decimal(str(item.get("price", product["price"]))) * factor)
    number = ids("line_item")
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{number}",
        "current_quantity": item["quantity"],
        "fulfillable_quantity": item["quantity"],
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": product.get("gift_card", False),
        "grams": 200,
        "name": product["title"],
        **money.both("price", price),
        "product_exists": "product_id" in product,
        "product_id": product.get("product_id"),
        "properties": item.get("properties", []),
        "quantity": item["quantity"],
        "requires_shipping": product.get("requires_shipping", True),
        "sales_line_item_group_id": item.get("group"),
        "sku": item["sku"],
        "taxable": not product.get("gift_card", False),
        "title": product["title"],
        **money.both("total_discount", NOTHING),
        "variant_id": product.get("variant_id"),
        "variant_inventory_management": "shopify",
        "variant_title": None,
        "vendor": "Waybill Demo",
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }


def _tip(spec: Json, money: Currencies, ids: Ids) -> Json:
    line = _line(
        {"sku": "", "quantity": 1, "price": spec["tip"]}, spec, money, ids, {"": {"title": "Tip", "price": "0"}}
    )
    gateway = spec.get("gateway", "shopify_payments")
    return {**line, "sku": None, "requires_shipping": False, "taxable": False, "tip_payment_gateway": gateway}


def _shipping(spec: Json, money: Currencies, ids: Ids) -> list[Json]:
    wanted = spec.get("shipping", {"title": "Standard", "price": "4.90", "code": "standard"})
    if wanted is None:
        return []
    price = money.of(Decimal(wanted["price"]) * Decimal(spec.get("price_factor", 1)))
    return [
        {
            "id": ids("shipping_line"),
            "carrier_identifier": None,
            "code": wanted.get("code", "standard"),
            **money.both("discounted_price", price),
            "is_removed": False,
            "phone": None,
            **money.both("price", price),
            "requested_fulfillment_service_id": None,
            "source": "shopify",
            "title": wanted["title"],
            "tax_lines": [],
            "discount_allocations": [],
        }
    ]


def worth(item: Json) -> Sum:
    """A line before discounts; a shipping line has no quantity."""
    return read(item["price_set"]) * int(item.get("quantity", 1))


def off(item: Json) -> Sum:
    return total(read(allocation["amount_set"]) for allocation in item["discount_allocations"])


def taxed(item: Json) -> Sum:
    return total(read(tax["price_set"]) for tax in item["tax_lines"])


def _discount(spec: Json, lines: list[Json], shipping: list[Json], money: Currencies) -> list[Json]:
    """Applications, and their allocations left on the lines."""
    applications = []
    for index, wanted in enumerate(spec.get("discounts", ())):
        targets = shipping if wanted.get("shipping") else lines
        if "line" in wanted:
            targets = lines[wanted["line"] : wanted["line"] + 1]
        left = [worth(item) - off(item) for item in targets]
        whole = total(left) if wanted.get("shipping") else _taken(wanted, spec, total(left), money)
        for item, share in zip(targets, money.spread(whole, [one.seen for one in left]), strict=True):
            if share:
                item["discount_allocations"].append(
                    {**money.both("amount", share), "discount_application_index": index}
                )
        applications.append(_application(wanted, bool(wanted.get("shipping"))))
    for line in shipping:
        line.update(money.both("discounted_price", worth(line) - off(line)))
    return applications


def _taken(wanted: Json, spec: Json, left: Sum, money: Currencies) -> Sum:
    if "percent" in wanted:
        return money.share(left, Decimal(wanted["percent"]))
    asked = money.of(Decimal(wanted["amount"]) * Decimal(spec.get("price_factor", 1)))
    return left if asked.seen > left.seen else asked


def _application(wanted: Json, shipping: bool) -> Json:
    named: Json = {name: wanted[name] for name in ("code", "title") if name in wanted}
    return {
        "target_type": "shipping_line" if shipping else "line_item",
        "type": wanted["type"],
        "value": wanted.get("amount") or str(Decimal(wanted.get("percent", 1)) * 100),
        "value_type": "fixed_amount" if "amount" in wanted else "percentage",
        "allocation_method": "each" if "line" in wanted or shipping else "across",
        "target_selection": "explicit" if "line" in wanted else "all",
        **named,
        **({"description": wanted["title"]} if wanted["type"] == "manual" else {}),
    }


def _codes(applications: list[Json], lines: list[Json], shipping: list[Json], money: Currencies) -> list[Json]:
    def allocated(index: int) -> Sum:
        every = (a for item in (*lines, *shipping) for a in item["discount_allocations"])
        return total(read(a["amount_set"]) for a in every if a["discount_application_index"] == index)

    return [
        {"code": one["code"], "amount": written(allocated(n).shop, money.shop), "type": one["value_type"]}
        for n, one in enumerate(applications)
        if one["type"] == "discount_code"
    ]


def _tax(spec: Json, lines: list[Json], shipping: list[Json], money: Currencies) -> None:
    """One tax on what each taxable line costs, inside the price or on top of it."""
    rate = Decimal(spec.get("tax_rate", "0.19"))
    share = rate / (1 + rate) if spec.get("taxes_included") else rate
    for item in (*lines, *shipping):
        amount = money.share(worth(item) - off(item), share)
        if item.get("taxable", True) and amount:
            item["tax_lines"] = [
                {
                    "channel_liable": False,
                    **money.both("price", amount),
                    "rate": float(rate),
                    "title": spec.get("tax_title", "VAT"),
                }
            ]


def _duties(spec: Json, lines: list[Json], money: Currencies, ids: Ids) -> None:
    if "duty_rate" not in spec:
        return
    for line in lines:
        number = ids("duty")
        line["duties"] = [
            {
                "id": str(number),
                "harmonized_system_code": "610910",
                "country_code_of_origin": "DE",
                **money.money(money.share(worth(line) - off(line), Decimal(spec["duty_rate"]))),
                "tax_lines": [],
                "admin_graphql_api_id": f"gid://shopify/Duty/{number}",
            }
        ]


def _head(spec: Json, number: int, ids: Ids, now: str, money: Currencies, location: int) -> Json:
    order = ids("order")
    placed = spec.get("created_at", now)
    return {
        "id": order,
        "admin_graphql_api_id": f"gid://shopify/Order/{order}",
        "app_id": 580111,
        "cancel_reason": None,
        "cancelled_at": None,
        "closed_at": None,
        "company": None,
        "confirmed": True,
        "contact_email": None,
        "created_at": placed,
        "currency": money.shop,
        "customer_locale": "de",
        "duties_included": False,
        "email": "",
        "estimated_taxes": False,
        "financial_status": None,
        "fulfillment_status": None,
        "location_id": location if spec.get("location") else None,
        "name": spec.get("name", f"#{number}"),
        "note": spec.get("note"),
        "note_attributes": spec.get("note_attributes", []),
        "number": number - 1000,
        "order_number": number,
        "phone": None,
        "po_number": None,
        "presentment_currency": money.seen,
        "processed_at": placed,
        "source_identifier": None,
        "source_name": spec.get("source", "web"),
        "tags": spec.get("tags", ""),
        "tax_exempt": False,
        "tax_lines": [],
        "taxes_included": bool(spec.get("taxes_included")),
        "test": bool(spec.get("test")),
        "updated_at": spec.get("updated_at", placed),
        "_rate": str(money.rate),
    }


def _parties(spec: Json, ids: Ids) -> Json:
    """A buyer made of a number: the same number is the same customer."""
    if spec.get("source") == "pos" and not spec.get("buyer_named"):
        return {"customer": None, "billing_address": None, "shipping_address": None}
    buyer = int(spec.get("buyer", 1))
    first = NAMES[buyer % len(NAMES)]
    country = spec.get("country", "DE")
    street, city, region, code, postcode, name = PLACES[country]
    address = {
        "first_name": first,
        "last_name": f"Example{buyer}",
        "name": f"{first} Example{buyer}",
        "company": None,
        "address1": f"{street} {buyer}",
        "address2": None,
        "city": city,
        "province": region,
        "province_code": code,
        "zip": postcode,
        "country": name,
        "country_code": country,
        "phone": "+49 221 5550100",
        **spec.get("address", {}),
    }
    email = spec.get("email", f"buyer{buyer}@example.com")
    customer = {
        "id": 7_000_000_000_000 + buyer,
        "email": email,
        "first_name": address["first_name"],
        "last_name": address["last_name"],
        "phone": None,
        "tax_exempt": False,
        "tags": "",
        "currency": "EUR",
        **spec.get("customer", {}),
    }
    both = {"billing_address": address, "shipping_address": address, "email": email, "contact_email": email}
    return {**both, "customer": None if spec.get("guest") else customer}


def transaction(ids: Ids, order: Json, money: Currencies, kind: str, gateway: str, amount: Sum, now: str) -> Json:
    """A transaction as a webhook writes it (one currency), with both under `_set`."""
    number = ids("transaction")
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{number}",
        "amount": written(amount.seen, money.seen),
        "created_at": now,
        "currency": money.seen,
        "gateway": gateway,
        "kind": kind,
        "message": "",
        "order_id": order["id"],
        "parent_id": None,
        "payment_id": f"{order['name']}.{len(order['_transactions']) + 1}",
        "processed_at": now,
        "source_name": order["source_name"],
        "status": "success",
        "test": order["test"],
        "_set": money.money(amount),
    }


def _pay(spec: Json, order: Json, money: Currencies, ids: Ids, now: str) -> None:
    """What the order costs, and what was paid of it, through which gateways."""
    status = spec.get("status", "paid")
    gateway = spec.get("gateway", "shopify_payments")
    due = priced(order, money)
    rest = due
    if spec.get("gift_card_used"):
        used = money.of(min(Decimal(spec["gift_card_used"]), due.seen))
        order["_transactions"].append(transaction(ids, order, money, "sale", "gift_card", used, now))
        rest = due - used
    kind = {"authorized": "authorization"}.get(status, "sale")
    if rest or not order["_transactions"]:
        cash = money.of(Decimal(order["_rounding"]))
        paid = transaction(ids, order, money, kind, gateway, rest + cash, now)
        order["_transactions"].append({**paid, "status": "pending" if status == "pending" else "success"})
    order["financial_status"] = status
    order["payment_gateway_names"] = list(dict.fromkeys(one["gateway"] for one in order["_transactions"]))
    settle(order, money)


def priced(order: Json, money: Currencies) -> Sum:
    """The order's price before returns."""
    return _parts(order, money)[0]


def _parts(order: Json, money: Currencies) -> tuple[Sum, Sum, Sum, Sum]:
    """(price, discounts, tax, duties) before returns."""
    lines, shipping = order["line_items"], order["shipping_lines"]
    taken = total(off(item) for item in (*lines, *shipping))
    tax = total(taxed(item) for item in (*lines, *shipping))
    duties = total(read(duty) for line in lines for duty in line["duties"])
    beside = duties + money.of(Decimal(order["_fee"]))
    goods = total(worth(item) for item in (*lines, *shipping))
    return goods - taken + beside + (NOTHING if order["taxes_included"] else tax), taken, tax, duties


def settle(order: Json, money: Currencies) -> None:
    """Writes every total of the order anew, before returns and as it is now."""
    price, taken, tax, duties = _parts(order, money)
    lines, shipping = order["line_items"], order["shipping_lines"]
    gone = total(read(one["_worth"]) for one in order["refunds"])
    goods = total(worth(item) for item in lines)
    sent = total(worth(item) for item in shipping)
    tips = total(worth(item) for item in lines if "tip_payment_gateway" in item)
    fee = money.of(Decimal(order["_fee"]))
    left, zero = price - gone, money.money(NOTHING)
    order.update(money.both("total_price", price))
    order.update(money.both("total_line_items_price", goods))
    order.update(money.both("total_discounts", taken))
    order.update(money.both("total_tax", tax))
    order.update(money.both("subtotal_price", goods - total(off(item) for item in lines)))
    order.update(money.both("current_total_price", left))
    order.update(money.both("current_total_discounts", _less(taken, order, "_off")))
    order.update(money.both("current_total_tax", _less(tax, order, "_tax")))
    order.update(money.both("current_subtotal_price", goods - total(off(i) for i in lines) - _gone(order, "_subtotal")))
    order["total_shipping_price_set"] = money.money(sent)
    order["current_shipping_price_set"] = money.money(
        sent - total(off(item) for item in shipping) - _gone(order, "_shipping")
    )
    order["total_tip_received"] = written(tips.shop, money.shop)
    for name, amount in (("duties", duties), ("additional_fees", fee)):
        order[f"original_total_{name}_set"] = money.money(amount) if amount else None
        order[f"current_total_{name}_set"] = money.money(amount) if amount else None
    order["total_cash_rounding_payment_adjustment_set"] = money.money(money.of(Decimal(order["_rounding"])))
    order["total_cash_rounding_refund_adjustment_set"] = zero
    order["total_outstanding"] = written(outstanding(order, left).shop, money.shop)


def _gone(order: Json, name: str) -> Sum:
    return total(read(one[name]) for one in order["refunds"])


def _less(amount: Sum, order: Json, name: str) -> Sum:
    return amount - _gone(order, name)


def outstanding(order: Json, left: Sum) -> Sum:
    """What is still to be paid: nothing for an authorisation in Shopify's own words only once it is captured."""
    took = [t for t in order["_transactions"] if t["kind"] in ("sale", "capture") and t["status"] == "success"]
    given = [t for one in order["refunds"] for t in one["transactions"] if t["status"] == "success"]
    cash = currencies(order).of(Decimal(order["_rounding"]))
    return left + cash - total(read(t["_set"]) for t in took) + total(read(t["_set"]) for t in given)


def _fulfillment_orders(order: Json, ids: Ids, location: int) -> list[Json]:
    """One fulfilment order at the shop's location for everything that is shipped; none for what is carried home."""
    lines = [line for line in order["line_items"] if line["requires_shipping"]]
    if not lines or order["source_name"] == "pos":
        return []
    return [fulfillment_order(lines, ids, location)]


def fulfillment_order(lines: list[Json], ids: Ids, location: int) -> Json:
    items = [
        {
            "id": ids("fulfillment_order_line"),
            "line_item_id": line["id"],
            "total": line["quantity"],
            "left": line["quantity"],
        }
        for line in lines
    ]
    return {"id": ids("fulfillment_order"), "status": "OPEN", "location_id": location, "line_items": items}


def public(value: Any) -> Any:
    """What a webhook carries: nothing that is the shop's own."""
    if isinstance(value, list):
        return [public(item) for item in value]
    if isinstance(value, dict):
        return {name: public(item) for name, item in value.items() if not name.startswith("_")}
    return value
