"""The XML of order feeds as Seller Central describes it (help pages "Order Acknowledgement Feed" and "Order Adjustment Feed",
and the enumerations of OrderAcknowledgement.xsd): no XSD of Amazon's lies in our folders, so this is held against words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring

# element -> its children in order, "?" where it may be missing, "*" where it may come often or not, "+" at least once
ORDER: dict[str, tuple[str, ...]] = {
    "AmazonEnvelope": ("Header", "MessageType", "Message+"),
    "Header": ("DocumentVersion", "MerchantIdentifier"),
    "Message": ("MessageID", "OrderAcknowledgement?", "OrderAdjustment?"),
    "OrderAcknowledgement": ("AmazonOrderID", "MerchantOrderID?", "StatusCode", "Item*"),
    "Item": ("AmazonOrderItemCode", "MerchantOrderItemID?", "CancelReason?"),
    "OrderAdjustment": ("AmazonOrderID?", "MerchantOrderID?", "AdjustedItem+"),
    "AdjustedItem": (
        "AmazonOrderItemCode",
        "MerchantAdjustmentItemID?",
        "AdjustmentReason",
        "ItemPriceAdjustments",
    ),
    "ItemPriceAdjustments": ("Component+",),
    "Component": ("Type", "Amount"),
}
WORDS: dict[str, str] = {
    "StatusCode": "Success|Failure",
    "CancelReason": "NoInventory|ShippingAddressUndeliverable|CustomerExchange|BuyerCanceled|GeneralAdjustment|"
    "CarrierCreditDecision|RiskAssessmentInformationNotValid|CarrierCoverageFailure|CustomerReturn|MerchandiseNotReceived",
    "Type": "Principal|Tax|Shipping|ShippingTax|GiftWrap|GiftWrapTax",
    "Amount": r"-?\d+(\.\d+)?",
    "AmazonOrderID": r"\d{3}-\d{7}-\d{7}",
    "MessageID": r"[1-9]\d*",
    "MessageType": "OrderAcknowledgement|OrderAdjustment",
}


def complaints(content: bytes) -> Iterator[str]:
    yield from _checked(fromstring(content))


def _checked(element: Element) -> Iterator[str]:
    wanted = ORDER.get(element.tag)
    if wanted is None:
        pattern, text = WORDS.get(element.tag, r".+"), element.text or ""
        if not re.fullmatch(pattern, text):
            yield f"{element.tag}: {text!r} does not fit {pattern}"
        if element.tag == "Amount" and not re.fullmatch("[A-Z]{3}", element.get("currency", "")):
            yield "Amount: has no currency"
        return
    shape = "".join(f"(?:{name.rstrip('?*+')};){name[-1] if name[-1] in '?*+' else ''}" for name in wanted)
    told = "".join(f"{child.tag};" for child in element)
    if not re.fullmatch(shape, told):
        yield f"{element.tag}: {told} does not fit {wanted}"
    for child in element:
        yield from _checked(child)
