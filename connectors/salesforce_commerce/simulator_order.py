"""How the simulated site makes an order document out of what a customer wants."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from connectors.salesforce_commerce.simulator_sums import ZERO, Till, total

Json = dict[str, Any]
PRICES = {
    "WB-TEE": "19.90",
    "WB-MUG": "8.50",
    "WB-CAP": "14.95",
    "WB-BAG": "34.00",
    "WB-SOAP": "3.99",
    "WB-SET": "24.90",
}
LINES = [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}]
ADDRESS = {
    "address1": "Musterweg 5",
    "city": "Köln",
    "countryCode": "DE",
    "firstName": "Ana",
    "lastName": "Example",
    "fullName": "Ana Example",
    "phone": "+49 221 5550100",
    "postalCode": "50667",
    "stateCode": "NW",
}


def fresh() -> str:
    """An id as Commerce Cloud makes them: 26 letters and digits."""
    return uuid.uuid4().hex[:26]


def document(spec: Json, number: str, at: str, site: str) -> Json:
    """An order of SCAPI whose sums are right; numbers as text."""
    till = Till(
        spec.get("currency", "EUR"),
        spec.get("taxation", "gross"),
        Decimal(spec.get("rate", "0.19")),
        spec.get("discounts", "price"),
    )
    order = _items(till, spec)
    whole, tax = total(till, order)
    order.update(_header(spec, number, at, site, till, whole, tax))
    order["shipments"] = _shipments(spec, order, number, till)
    order["paymentInstruments"] = _instruments(spec, whole)
    return {name: value for name, value in order.items() if value not in ([], "")}


def _items(till: Till, spec: Json) -> Json:
    wanted = [dict(one) for one in spec.get("lines", LINES)]
    amounts = [Decimal(one.get("price", PRICES.get(one["sku"], "10.00"))) * int(one["quantity"]) for one in wanted]
    own = [_adjustments(till, one.get("adjustments", ())) for one in wanted]
    order_wide = _adjustments(till, spec.get("order_adjustments", ()))
    left = [
        amount + sum((Decimal(a["basePrice"]) for a in found), ZERO) for amount, found in zip(amounts, own, strict=True)
    ]
    off = till.spread(sum((Decimal(one["basePrice"]) for one in order_wide), ZERO), left)
    items = [_item(till, spec, n, one, amounts[n], own[n], left[n] + off[n]) for n, one in enumerate(wanted)]
    return {
        "productItems": items,
        "shippingItems": _shipping(till, spec),
        "giftCertificateItems": [_certificate(one) for one in spec.get("certificates", ())],
        "orderPriceAdjustments": order_wide,
    }


def _adjustments(till: Till, wanted: Any) -> list[Json]:
    made = []
    for one in wanted:
        told = {name: value for name, value in one.items() if name != "off"}
        kind = {"type": "amount", "amount": one["off"]}
        made.append(till.adjustment(-Decimal(one["off"]), **told, priceAdjustmentId=fresh(), appliedDiscount=kind))
    return made


def _item(till: Till, spec: Json, n: int, wanted: Json, amount: Decimal, own: list[Json], after: Decimal) -> Json:
    quantity = int(wanted["quantity"])
    told = till.item(amount, amount / quantity, own, after)
    made = {
        **told,
        "itemId": fresh(),
        "productId": wanted["sku"],
        "productName": f"Article {wanted['sku']}",
        "itemText": f"Article {wanted['sku']}",
        "quantity": str(quantity),
        "position": str(n + 1),
        "shipmentId": _shipment_id(spec, n),
        "gift": False,
        "bonusProductLineItem": False,
    }
    if wanted.get("options"):
        made["optionItems"] = [_option(till, one, quantity) for one in wanted["options"]]
    if wanted.get("bundle"):
        made["bundledProductItems"] = [_bundled(till, one, made["shipmentId"]) for one in wanted["bundle"]]
    if spec.get("tax_items"):
        parts = till.spread(Decimal(told["adjustedTax"]), [Decimal(rate) for _, rate in spec["tax_items"]])
        made["taxItems"] = [
            {"id": name, "rate": rate, "value": str(part)}
            for (name, rate), part in zip(spec["tax_items"], parts, strict=True)
        ]
    return made


def _option(till: Till, wanted: Json, quantity: int) -> Json:
    amount = Decimal(wanted["price"]) * quantity
    told = till.item(amount, Decimal(wanted["price"]), [])
    names = ("basePrice", "grossPrice", "netPrice", "tax", "taxBasis")
    return {
        **{name: told[name] for name in names},
        "optionId": wanted["id"],
        "optionValueId": wanted["value"],
        "productId": wanted["sku"],
        "itemText": wanted["id"],
    }


def _bundled(till: Till, wanted: Json, shipment: str) -> Json:
    return {
        **till.item(ZERO, ZERO, []),
        "itemId": fresh(),
        "productId": wanted["sku"],
        "quantity": str(wanted["quantity"]),
        "shipmentId": shipment,
    }


def _shipment_id(spec: Json, n: int) -> str:
    """The first shipment is always called me."""
    number = n % int(spec.get("shipments", 1))
    return "me" if number == 0 else f"shipment-{number + 1}"


def _shipping(till: Till, spec: Json) -> list[Json]:
    made = []
    for n in range(int(spec.get("shipments", 1))):
        price = Decimal(spec.get("shipping", "4.90"))
        own = _adjustments(till, spec.get("shipping_adjustments", ()))
        told = till.item(price, price, own)
        made.append(
            {
                **told,
                "itemId": fresh(),
                "itemText": "Shipping",
                "shipmentId": _shipment_id(spec, n),
                "type": "fixed_price",
            }
        )
    return made


def _certificate(value: str) -> Json:
    """Sold without tax: it is taxed when it is spent."""
    return {
        "basePrice": value,
        "grossPrice": value,
        "netPrice": value,
        "tax": "0",
        "giftCertificateItemId": fresh(),
        "itemText": "Gift certificate",
        "recipientEmail": "gift@example.com",
        "recipientName": "Gil Example",
        "senderName": "Ana",
        "message": "Enjoy",
        "shipmentId": "me",
    }


def _header(spec: Json, number: str, at: str, site: str, till: Till, whole: Decimal, tax: Decimal) -> Json:
    guest, buyer = bool(spec.get("guest")), int(spec.get("buyer", 11))
    info = {
        "customerId": f"customer{buyer:018}",
        "customerName": "Ana Example",
        "email": spec.get("email", "ana@example.com" if buyer == 11 else f"customer{buyer}@example.com"),
        "guest": guest,
        **({} if guest else {"customerNo": f"{buyer:08}"}),
    }
    return {
        "orderNo": number,
        "siteId": site,
        "creationDate": spec.get("created_at", at),
        "placeDate": spec.get("created_at", at),
        "lastModified": spec.get("updated_at", at),
        "currency": till.currency,
        "taxation": till.taxation,
        "orderTotal": str(whole),
        "taxTotal": str(tax),
        "status": spec.get("status", "new"),
        "exportStatus": spec.get("exportStatus", "not_exported"),
        "confirmationStatus": spec.get("confirmationStatus", "not_confirmed"),
        "paymentStatus": spec.get("paymentStatus", "not_paid"),
        "shippingStatus": "not_shipped",
        "channelType": spec.get("channelType", "storefront"),
        "createdBy": "Customer",
        "customerLocale": "de_DE",
        "invoiceNo": f"I{number}",
        "externalOrderNo": spec.get("externalOrderNo", ""),
        "customerInfo": info,
        "billingAddress": {**ADDRESS, **spec.get("address", {})},
    }


def _shipments(spec: Json, order: Json, number: str, till: Till) -> list[Json]:
    made = []
    for n in range(int(spec.get("shipments", 1))):
        name = _shipment_id(spec, n)
        items = [one for one in order["productItems"] if one["shipmentId"] == name]
        road = [one for one in order["shippingItems"] if one["shipmentId"] == name]
        goods = sum((Decimal(one["priceAfterItemDiscount"]) for one in items), ZERO)
        shipping = sum((Decimal(one["priceAfterItemDiscount"]) for one in road), ZERO)
        store = {"c_fromStoreId": spec["pickup"]} if spec.get("pickup") else {}
        made.append(
            {
                "shipmentId": name,
                "shipmentNo": f"{number}-{n + 1}",
                "shippingStatus": "not_shipped",
                "shippingMethod": {"id": "collect" if store else "standard"},
                "shippingAddress": {**ADDRESS, **spec.get("address", {})},
                "productSubTotal": str(goods),
                "shippingTotal": str(shipping),
                "shippingTotalTax": str(sum((Decimal(one["tax"]) for one in road), ZERO)),
                "adjustedShippingTotalTax": str(sum((Decimal(one["adjustedTax"]) for one in road), ZERO)),
                "merchandizeTotalTax": str(sum((Decimal(one["tax"]) for one in items), ZERO)),
                "gift": False,
                **store,
            }
        )
    return made


def _instruments(spec: Json, whole: Decimal) -> list[Json]:
    """A gift certificate first, then a part by wallet where it is split, then the card for the rest."""
    made, left = [], whole
    if spec.get("gift"):
        part = min(left, Decimal(spec["gift"]))
        left -= part
        made.append(_instrument("GIFT_CERTIFICATE", part, maskedGiftCertificateCode="************ABCD"))
    if spec.get("split"):
        part = min(left, Decimal(spec["split"]))
        left -= part
        made.append(_instrument("PayPal", part))
    card = {"cardType": "Visa", "numberLastDigits": "1111", "maskedNumber": "************1111", "holder": "Ana Example"}
    if left or not made:
        made.append(_instrument("CREDIT_CARD", left, paymentCard=card))
    return made


def _instrument(method: str, amount: Decimal, **more: Any) -> Json:
    moved = {
        "amount": str(amount),
        "transactionId": fresh(),
        "authorizationStatus": {"code": "OK", "message": "authorized", "status": 0},
    }
    return {"paymentInstrumentId": fresh(), "paymentMethodId": method, "paymentTransaction": moved, **more}
