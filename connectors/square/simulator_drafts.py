"""A spec of a sale drawn up as an order in Square's own words: lines, taxes, discounts, charges, fulfilment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.square.simulator_sums import add, amounts, even, money, shares, sums, tax_of

Json = dict[str, Any]
LINES = ({"sku": "WB-TEE", "quantity": "2"}, {"sku": "WB-MUG", "quantity": "1"})
ADDRESS = {
    "address_line_1": "Musterweg 5",
    "locality": "Köln",
    "administrative_district_level_1": "NW",
    "postal_code": "50667",
    "country": "DE",
}


@dataclass
class Draft:
    """`article(sku)` finds what is sold; `at` is when, as Square writes it."""

    spec: Json
    name: str
    location: str
    at: str
    article: Callable[[str], Json | None]

    @property
    def currency(self) -> str:
        return str(self.spec.get("currency", "EUR"))

    def order(self) -> Json:
        spec = self.spec
        lines = [self._line(n, dict(one)) for n, one in enumerate(spec.get("lines") or LINES, 1)]
        order: Json = {
            "id": self.name,
            "location_id": self.location,
            "line_items": lines,
            "source": {"name": spec.get("source", "Till")},
        }
        self._charges(order)
        self._discounts(order)
        self._taxes(order)
        tip, plain = int(spec.get("tip", 0)), sums(order, self.currency, 0, 0)["total_money"]["amount"]
        step = int(spec.get("round_to", 0))
        rounding = (even(Decimal(plain) / step) * step - plain) if step else 0
        order.update(sums(order, self.currency, tip, rounding))
        if rounding:
            order["rounding_adjustment"] = {
                "uid": "rounding",
                "name": "Cash rounding",
                "amount_money": self._money(rounding),
            }
        order["net_amounts"] = amounts(order)
        order["fulfillments"] = [self._fulfilment()] if spec.get("fulfillment") else []
        for name in ("reference_id", "ticket_name", "customer_id"):
            if spec.get(name):
                order[name] = spec[name]
        return {name: value for name, value in order.items() if value != []}

    def _money(self, minor: int) -> Json:
        return money(minor, self.currency)

    # ---- lines

    def _line(self, n: int, wanted: Json) -> Json:
        found = self.article(wanted.get("sku", "")) or {}
        data = found.get("item_variation_data", {})
        price = int(wanted.get("price", data.get("price_money", {}).get("amount", 1000)))
        quantity = Decimal(str(wanted.get("quantity", "1")))
        extra = [self._modifier(m, one, quantity) for m, one in enumerate(wanted.get("modifiers", ()), 1)]
        sold = even(Decimal(price) * quantity)
        line = {
            "uid": f"line-{n}",
            "name": wanted.get("name") or data.get("name") or wanted.get("sku", "Item"),
            "quantity": str(wanted.get("quantity", "1")),
            "item_type": wanted.get("item_type", "ITEM"),
            "base_price_money": self._money(price),
            "variation_total_price_money": self._money(sold),
            "gross_sales_money": self._money(sold + add(extra, "total_price_money")),
            "applied_discounts": [],
            "applied_taxes": [],
            "off": int(wanted.get("discount", 0)),
            **({"modifiers": extra} if extra else {}),
            **(
                {"catalog_object_id": found["id"], "catalog_version": found["version"], "variation_name": "Regular"}
                if found
                else {}
            ),
        }
        if wanted.get("unit"):
            line["quantity_unit"] = {
                "measurement_unit": {"weight_unit": wanted["unit"], "type": "TYPE_WEIGHT"},
                "precision": 3,
            }
        return line

    def _modifier(self, n: int, wanted: Mapping[str, Any], quantity: Decimal) -> Json:
        price = int(wanted["price"])
        whole = self._money(even(Decimal(price) * quantity))
        return {
            "uid": f"modifier-{n}",
            "name": wanted["name"],
            "quantity": "1",
            "base_price_money": self._money(price),
            "total_price_money": whole,
        }

    # ---- charges

    def _charges(self, order: Json) -> None:
        """Charges of their own, and spread ones, of which each line bears its share within its gross sales."""
        made = []
        for n, wanted in enumerate(self.spec.get("charges", ()), 1):
            charge = {"uid": f"charge-{n}", "name": wanted["name"], "amount_money": self._money(int(wanted["amount"]))}
            charge.update(
                {"applied_money": charge["amount_money"], "type": "CUSTOM", "taxable": bool(wanted.get("taxable"))}
            )
            spread = bool(wanted.get("spread"))
            charge["treatment_type"] = "APPORTIONED_TREATMENT" if spread else "LINE_ITEM_TREATMENT"
            charge["calculation_phase"] = "APPORTIONED_AMOUNT_PHASE" if spread else "SUBTOTAL_PHASE"
            made.append(charge)
            if spread:
                self._spread(order, charge)
        order["service_charges"] = made

    def _spread(self, order: Json, charge: Json) -> None:
        lines = order["line_items"]
        for line, share in zip(
            lines,
            shares(charge["amount_money"]["amount"], [one["gross_sales_money"]["amount"] for one in lines]),
            strict=True,
        ):
            applied = {
                "uid": f"{charge['uid']}-{line['uid']}",
                "service_charge_uid": charge["uid"],
                "applied_money": self._money(share),
            }
            line.setdefault("applied_service_charges", []).append(applied)
            line["gross_sales_money"] = self._money(line["gross_sales_money"]["amount"] + share)
            line["total_service_charge_money"] = self._money(share)

    # ---- discounts

    def _discounts(self, order: Json) -> None:
        lines, listed = order["line_items"], []
        whole = [one["gross_sales_money"]["amount"] for one in lines]
        for line in lines:
            if line["off"]:
                listed.append(self._discount(f"off-{line['uid']}", "Off", "LINE_ITEM", line["off"]))
                self._take_off(line, listed[-1]["uid"], line["off"])
        off = int(self.spec.get("discount", 0))
        percent = Decimal(str(self.spec.get("percent", 0)))
        off = even(Decimal(sum(whole)) * percent / 100) if percent else off
        if off:
            listed.append(self._discount("off-order", "Spring", "ORDER", off, percent))
            for line, share in zip(lines, shares(off, whole), strict=True):
                self._take_off(line, "off-order", share)
        for line in lines:
            line["total_discount_money"] = self._money(add(line["applied_discounts"], "applied_money"))
            del line["off"]
        order["discounts"] = listed

    def _discount(self, uid: str, name: str, scope: str, minor: int, percent: Decimal = Decimal(0)) -> Json:
        row = {"uid": uid, "name": name, "scope": scope, "applied_money": self._money(minor)}
        if percent:
            return {**row, "type": "FIXED_PERCENTAGE", "percentage": str(percent)}
        return {**row, "type": "FIXED_AMOUNT", "amount_money": self._money(minor)}

    def _take_off(self, line: Json, uid: str, minor: int) -> None:
        line["applied_discounts"].append(
            {"uid": f"{uid}-{line['uid']}", "discount_uid": uid, "applied_money": self._money(minor)}
        )

    # ---- taxes

    def _taxes(self, order: Json) -> None:
        rate, inclusive = Decimal(str(self.spec.get("rate", "0.19"))), bool(self.spec.get("inclusive"))
        second = Decimal(str(self.spec.get("second_tax", 0)))
        wanted = [("vat", "VAT", rate, inclusive), ("city", "City tax", second, False)]
        taxes = [one for one in wanted if one[2]]
        for line in order["line_items"]:
            net = line["gross_sales_money"]["amount"] - line["total_discount_money"]["amount"]
            self._tax(line, net, [] if line["item_type"] == "GIFT_CARD" else taxes)
        for charge in order["service_charges"]:
            if charge["treatment_type"] != "APPORTIONED_TREATMENT":
                self._tax(charge, charge["applied_money"]["amount"], taxes if charge["taxable"] else [])
        order["taxes"] = [self._listed(order, *one) for one in taxes]

    def _tax(self, row: Json, net: int, taxes: list[tuple[str, str, Decimal, bool]]) -> None:
        beside = 0
        row["applied_taxes"] = []
        for uid, _, rate, inside in taxes:
            minor = tax_of(net, rate, inside)
            beside += 0 if inside else minor
            row["applied_taxes"].append(
                {"uid": f"{uid}-{row['uid']}", "tax_uid": uid, "applied_money": self._money(minor)}
            )
        row["total_tax_money"] = self._money(add(row["applied_taxes"], "applied_money"))
        row["total_money"] = self._money(net + beside)

    def _listed(self, order: Json, uid: str, name: str, rate: Decimal, inside: bool) -> Json:
        rows = [*order["line_items"], *order["service_charges"]]
        applied = [one for row in rows for one in row.get("applied_taxes", ()) if one["tax_uid"] == uid]
        percentage = f"{(rate * 100).normalize():f}"
        row = {"uid": uid, "name": name, "type": "INCLUSIVE" if inside else "ADDITIVE", "percentage": percentage}
        return {**row, "scope": "ORDER", "applied_money": self._money(add(applied, "applied_money"))}

    # ---- where it goes

    def _fulfilment(self) -> Json:
        kind, buyer = self.spec["fulfillment"], int(self.spec.get("buyer", 1))
        person = {
            "display_name": f"Ana Example {buyer}",
            "email_address": f"ana.{buyer}@example.com",
            "phone_number": "+49 221 5550100",
        }
        row: Json = {
            "uid": "fulfilment-1",
            "type": kind,
            "state": self.spec.get("fulfillment_state", "PROPOSED"),
            "line_item_application": "ALL",
        }
        if kind == "SHIPMENT":
            row["shipment_details"] = {"recipient": {**person, "address": ADDRESS}, "shipping_type": "Standard"}
        elif kind == "PICKUP":
            row["pickup_details"] = {
                "recipient": person,
                "schedule_type": "ASAP",
                "note": "Ring twice",
                "pickup_at": self.at,
            }
        else:
            row["delivery_details"] = {
                "recipient": {**person, "address": ADDRESS},
                "schedule_type": "SCHEDULED",
                "deliver_at": self.at,
            }
        return row
