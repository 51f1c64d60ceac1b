"""What API v2.0 publishes of its entities: each field's type, and whether it may be written.

Read in the resource pages of the manual (api-reference/v2.0/resources) and, where they say less, in the AL pages of
microsoft/BCApps (lengths are those of the tables behind them).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.business_central.simulator_refusals import Refused

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _fields(told: str) -> dict[str, tuple[str, bool]]:
    """Field -> (type, writable), from words like `number:s20!` (! is read-only)."""
    found = {}
    for word in told.split():
        name, _, kind = word.partition(":")
        found[name] = (kind.rstrip("!"), not kind.endswith("!"))
    return found


def _place(start: str, writable: bool = True) -> str:
    end = "" if writable else "!"
    parts = ("AddressLine1:s100", "AddressLine2:s50", "City:s30", "Country:s10", "State:s30", "PostCode:s20")
    return " ".join(f"{start}{part}{end}" for part in parts)


DOCUMENT = (
    "id:g! number:s20! externalDocumentNumber:c35 postingDate:date customerId:g customerNumber:s20 customerName:s100! "
    f"billToName:s100! billToCustomerId:g billToCustomerNumber:s20 {_place('sellTo')} {_place('billTo', False)} "
    "shortcutDimension1Code:s20 shortcutDimension2Code:s20 currencyId:g currencyCode:s10 pricesIncludeTax:b paymentTermsId:g "
    "shipmentMethodId:g salesperson:s20 discountAmount:d discountAppliedBeforeTax:b! totalAmountExcludingTax:d! "
    "totalTaxAmount:d! totalAmountIncludingTax:d! status:s20! lastModifiedDateTime:dt! phoneNumber:s30 email:s80 "
)
LINE = (
    "id:g! documentId:g sequence:i itemId:g accountId:g lineType:lineType lineObjectNumber:s20 description:s100 "
    "unitOfMeasureId:g unitOfMeasureCode:s10 quantity:d unitPrice:d discountAmount:d discountPercent:d "
    "discountAppliedBeforeTax:b! amountExcludingTax:d! taxCode:s20 taxPercent:d! totalTaxAmount:d! amountIncludingTax:d! "
    "invoiceDiscountAllocation:d! netAmount:d! netTaxAmount:d! netAmountIncludingTax:d! shipmentDate:date itemVariantId:g "
    "locationId:g "
)
FIELDS: dict[str, dict[str, tuple[str, bool]]] = {
    "salesOrder": _fields(
        DOCUMENT + f"orderDate:date shipToName:s100 shipToContact:s100 {_place('shipTo')} partialShipping:b "
        "requestedDeliveryDate:date fullyShipped:b! salesOrderLines:lines"
    ),
    "salesOrderLine": _fields(
        LINE + "description2:s50 shippedQuantity:d! invoicedQuantity:d! invoiceQuantity:d shipQuantity:d"
    ),
    "salesCreditMemo": _fields(
        DOCUMENT + "creditMemoDate:date dueDate:date invoiceId:g invoiceNumber:s20 customerReturnReasonId:g "
        "salesCreditMemoLines:lines"
    ),
    "salesCreditMemoLine": _fields(LINE),
    "salesInvoice": _fields(
        DOCUMENT + f"invoiceDate:date dueDate:date customerPurchaseOrderReference:s35 shipToName:s100 shipToContact:s100 "
        f"{_place('shipTo')} orderId:g! orderNumber:s20! remainingAmount:d"
    ),
    "salesShipment": _fields(
        "id:g! number:s20! externalDocumentNumber:c35! invoiceDate:date! postingDate:date! dueDate:date! "
        "customerPurchaseOrderReference:s35! customerNumber:s20! customerName:s100! billToName:s100! "
        f"billToCustomerNumber:s20! shipToName:s100! shipToContact:s100! {_place('sellTo', False)} {_place('billTo', False)} "
        f"{_place('shipTo', False)} currencyCode:s10! orderNumber:s20! paymentTermsCode:s10! shipmentMethodCode:s10! "
        "salesperson:s20! pricesIncludeTax:b! lastModifiedDateTime:dt! phoneNumber:s30! email:s80! salesShipmentLines:lines"
    ),
    "salesShipmentLine": _fields(
        "id:g! documentId:g! documentNumber:s20! sequence:i! lineType:lineType! lineObjectNumber:s20! description:s100! "
        "description2:s50! unitOfMeasureCode:s10! unitPrice:d! quantity:d! discountPercent:d! taxPercent:d! shipmentDate:date!"
    ),
    "customer": _fields(
        "id:g! number:c20 displayName:s100 type:contactType addressLine1:s100 addressLine2:s50 city:s30 state:s30 country:s10 "
        "postalCode:s20 phoneNumber:phone email:s80 website:s80 salespersonCode:s20 balanceDue:d! creditLimit:d taxLiable:b "
        "taxAreaId:g taxAreaDisplayName:s100! taxRegistrationNumber:s20 currencyId:g currencyCode:s10 paymentTermsId:g "
        "shipmentMethodId:g paymentMethodId:g blocked:blocked lastModifiedDateTime:dt!"
    ),
    "item": _fields(
        "id:g! number:c20 displayName:s100 displayName2:s50 type:itemType itemCategoryId:g itemCategoryCode:s20 blocked:b "
        "gtin:s14 inventory:d unitPrice:d priceIncludesTax:b unitCost:d taxGroupId:g taxGroupCode:s20 baseUnitOfMeasureId:g "
        "baseUnitOfMeasureCode:s10 generalProductPostingGroupId:g generalProductPostingGroupCode:s20 "
        "inventoryPostingGroupId:g inventoryPostingGroupCode:s20 lastModifiedDateTime:dt!"
    ),
    "journalLine": _fields(
        "id:g! journalId:g journalDisplayName:s10! lineNumber:i accountType:accountType accountId:g accountNumber:s20 "
        "postingDate:date documentNumber:s20 externalDocumentNumber:c35 amount:d description:s100 comment:s250 taxCode:s20 "
        "balanceAccountType:accountType balancingAccountId:g balancingAccountNumber:s20 lastModifiedDateTime:dt!"
    ),
    "customerPayment": _fields(
        "id:g! journalId:g journalDisplayName:s10 lineNumber:i customerId:g customerNumber:s20 postingDate:date "
        "documentNumber:s20 externalDocumentNumber:c35 amount:d appliesToInvoiceId:g appliesToInvoiceNumber:s20 "
        "description:s100 comment:s250 lastModifiedDateTime:dt!"
    ),
    "subscription": _fields(
        "subscriptionId:s150! notificationUrl:s2048 resource:s2048 userId:g! clientState:s2048 expirationDateTime:dt! "
        "lastModifiedDateTime:dt! timestamp:i"
    ),
}  # fmt: skip
ENUMS = {
    "lineType": ("Comment", "Account", "Item", "Resource", "Fixed Asset", "Charge"),
    "contactType": ("Company", "Person"),
    "blocked": (" ", "Ship", "Invoice", "All"),
    "itemType": ("Inventory", "Service", "Non-Inventory"),
    "accountType": ("G/L Account", "Customer", "Vendor", "Bank Account", "Fixed Asset", "IC Partner", "Employee"),
}


def examine(entity: str, body: Any) -> None:
    """Refuses what OData or the page would: unknown, read-only, wrong in type, too long."""
    if not isinstance(body, Mapping):
        raise Refused("Invalid Request Body", "BadRequest")
    for name, value in body.items():
        if name.startswith("@odata"):
            continue
        if name not in FIELDS[entity]:
            words = f"The property '{name}' does not exist on type 'Microsoft.NAV.{entity}'. Make sure to only use property "
            raise Refused(words + "names that are defined by the type.", "BadRequest")
        kind, writable = FIELDS[entity][name]
        if not writable:
            raise Refused(f"Control '{name}' is read-only.", "BadRequest_InvalidOperation")
        _fits(name, kind, value)


def _fits(name: str, kind: str, value: Any) -> None:
    if kind in ENUMS:
        if value not in ENUMS[kind]:
            options = ",".join(ENUMS[kind])
            words = f"'{value}' is not an option. The existing options are: {options}"
            raise Refused(words, "Application_EvaluateException")
    elif kind in ("d", "i"):
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise _type(value, "Edm.Decimal" if kind == "d" else "Edm.Int32")
    elif kind == "b":
        if not isinstance(value, bool):
            raise _type(value, "Edm.Boolean")
    elif kind != "lines":
        _text(name, kind, value)


def _text(name: str, kind: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _type(value, "Edm.String")
    if kind == "g" and not GUID.fullmatch(value):
        raise _type(value, "Edm.Guid")
    if kind == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise _type(value, "Edm.Date") from None
    if kind == "phone" and any(sign.isalpha() for sign in value):
        raise Refused(f"{name} must not contain letters.", "Application_FieldValidationException")
    most = 30 if kind == "phone" else int(kind[1:]) if kind[0] in "sc" and kind[1:].isdigit() else 0
    if most and len(value) > most:
        words = f"The length of the string is {len(value)}, but it must be less than or equal to {most} characters. "
        raise Refused(f"{words}Value: {value}", "Application_StringExceededLength")


def _type(value: Any, kind: str) -> Refused:
    return Refused(f"Cannot convert the literal '{value}' to the expected type '{kind}'.", "BadRequest")


def shown(entity: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is told: every published field it has, numbers as numbers, codes in capitals."""
    told: dict[str, Any] = {"@odata.etag": record["etag"]} if record.get("etag") else {}
    for name, (kind, _) in FIELDS[entity].items():
        value = record.get(name)
        if kind == "lines" or value is None:
            continue
        told[name] = Decimal(str(value)) if kind == "d" else value
    return told
