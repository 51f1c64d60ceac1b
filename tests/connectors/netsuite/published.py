"""What the REST API Browser 2026.1 says of the records that ../shared/specs/netsuite names no fields of: names, types, transforms.

Facts read in wsjmnh/netsuite-record-rest-docs (docs/records, docs/schemas), a rendering of the Browser; fields that no shop has a use for
(payment card terminals, revenue recognition, deletion reasons) are left out. "!x" is a field that NetSuite alone sets.
"""

from __future__ import annotations

TRANSFORMS = {
    "customerDeposit": ("customerRefund", "depositApplication"),
    "invoice": ("creditMemo", "customerPayment", "returnAuthorization"),
    "purchaseOrder": ("itemReceipt", "vendorBill", "vendorReturnAuthorization"),
    "returnAuthorization": ("cashRefund", "creditMemo", "itemReceipt"),
}


def _fields(**kinds: str) -> dict[str, str]:
    return {name: kind for kind, names in kinds.items() for name in names.split()}


_DOCUMENT = _fields(
    string="externalId id memo tranId transactionNumber refName",
    date="tranDate",
    datetime="createdDate lastModifiedDate",
    ref="class currency customForm department location postingPeriod subsidiary status",
    number="exchangeRate",
)
_SALE = _DOCUMENT | _fields(
    string="email otherRefNum message originator",
    ref="entity createdFrom discountItem leadSource partner promoCode couponCode salesRep taxItem nexus",
    number="discountRate discountTotal subtotal taxTotal total estGrossProfit",
    sublist="item taxDetails partners promotions salesTeam",
    subrecord="billingAddress shippingAddress",
    boolean="isTaxable taxDetailsOverride taxRegOverride toBeEmailed shipIsResidential shipOverride",
)
_SHIPPED = _fields(
    ref="shipMethod salesChannel terms handlingTaxCode shippingTaxCode",
    number="shippingCost altShippingCost handlingCost altHandlingCost giftCertApplied",
    sublist="giftCertRedemption shipGroup",
    string="linkedTrackingNumbers",
    date="shipDate",
)
BODIES: dict[str, dict[str, str]] = {
    "invoice": _SALE | _SHIPPED | _fields(number="amountPaid amountRemaining", ref="account approvalStatus", date="dueDate"),
    "cashSale": _SALE | _SHIPPED | _fields(ref="account paymentOption undepFunds", string="checkNumber"),
    "returnAuthorization": _SALE
    | _fields(ref="orderStatus paymentOption transactionToRefund", number="totalAfterTaxes", string="checkNumber"),
    "itemReceipt": {name: kind for name, kind in _DOCUMENT.items() if name != "status"}
    | _fields(
        ref="createdFrom entity inboundShipment incoTerm itemFulfillment landedCostMethod",
        sublist="item expense landedCosts",
        boolean="landedCostPerLine",
        string="orderType",
    ),
    "inventoryTransfer": {name: kind for name, kind in _DOCUMENT.items() if name not in ("status", "currency", "exchangeRate")}
    | _fields(ref="transferLocation", sublist="inventory"),
    "purchaseOrder": _DOCUMENT
    | _fields(
        ref="createdFrom employee entity incoTerm nexus orderStatus purchaseContract shipMethod shipTo taxItem terms",
        number="discountAmount subtotal taxTotal total unbilledOrders",
        sublist="item expense taxDetails",
        subrecord="billingAddress shippingAddress",
        string="email fob message originator otherRefNum trackingNumbers linkedTrackingNumbers",
        date="dueDate shipDate",
        boolean="firmed supervisorApproval taxDetailsOverride toBeEmailed",
    ),
    "customerDeposit": _DOCUMENT
    | _fields(
        ref="account customer paymentOption salesOrder undepFunds transactionToRefund",
        number="payment total refundedAmountTotalBox salesOrderUnpaidAmount salesOrderRequiredDepositDue",
        boolean="cleared depositSufficient toBeEmailed",
        string="checkNumber",
    ),
    "depositApplication": _DOCUMENT
    | _fields(ref="arAcct customer deposit", number="applied unapplied total", sublist="apply", date="depositDate"),
    "customerRefund": _DOCUMENT
    | _fields(
        ref="account arAcct customer paymentOption transactionToRefund voidJournal",
        number="balance total",
        sublist="apply deposit",
        boolean="cleared toBePrinted",
        string="address checkNumber",
    ),
}  # fmt: skip

_APPLIED = _fields(
    ref="doc", boolean="apply", number="amount due total", int64="line", string="refNum type currency createdFrom"
)
_LINE = _fields(
    ref="item itemType itemSubtype location price class department taxCode orderDoc inventorylocation subsidiary",
    number="amount quantity rate grossAmt tax1Amt taxAmount taxRate1 taxRate2 quantityFulfilled quantityReceived quantityBilled "
    "quantityAvailable quantityCommitted quantityOnHand costEstimate",
    int64="line orderLine",
    string="description lineUniqueKey options serialNumbers taxDetailsReference units giftCertNumber",
    boolean="isClosed isOpen isTaxable linked",
    subrecord="inventoryDetail",
)
_SALES_LINE = {name: kind for name, kind in _LINE.items() if name != "quantityBilled"}
_TAXES = _fields(
    number="netAmount taxAmount taxBasis taxRate",
    string="calcDetail lineName lineType refName taxType",
    ref="taxCode taxDetailsReference",
)
ROWS: dict[str, dict[str, dict[str, str]]] = {
    "invoice": {"item": _SALES_LINE, "taxDetails": _TAXES},
    "cashSale": {"item": _SALES_LINE, "taxDetails": _TAXES},
    "returnAuthorization": {"item": _LINE, "taxDetails": _TAXES},
    "itemReceipt": {
        "item": _fields(
            ref="item location orderDoc class department",
            boolean="itemReceive isDropShipment",
            number="amount quantity quantityRemaining onHand rate itemUnitPrice unitCostOverride",
            int64="line orderLine kitMemberOf",
            string="binNumbers description displayName itemName itemSubtype itemType options serialNumbers units vendorName",
            subrecord="inventoryDetail landedCost",
        )
    },
    "inventoryTransfer": {
        "inventory": _fields(
            ref="item",
            number="adjustQtyBy quantityOnHand",
            int64="line",
            string="description fromBinNumbers toBinNumbers serialNumbers units",
            subrecord="inventoryDetail",
        )
    },
    "purchaseOrder": {
        "item": {name: kind for name, kind in _LINE.items() if name not in ("price", "lineUniqueKey", "giftCertNumber")}
        | _fields(boolean="isBillable matchBillToReceipt", string="vendorName", date="expectedReceiptDate")
    },
    "depositApplication": {"apply": _APPLIED},
    "customerRefund": {
        "apply": _APPLIED,
        "deposit": _fields(
            ref="doc",
            boolean="apply",
            number="amount remaining total",
            string="refNum currencyName",
            date="depositDate",
        ),
    },
    "customerDeposit": {},
}
