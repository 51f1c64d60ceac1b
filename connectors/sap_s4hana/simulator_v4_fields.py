"""What CE_SALESORDER_0001 takes, with the longest text (# a decimal with at most so many places, * only when it is made):
names and lengths of the published contract, version 1.0.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

_PRICE = """
    ConditionType:4* ConditionRateAmount#9 ConditionCurrency:3 ConditionQuantity#0 ConditionQuantitySAPUnit:3
    ConditionQuantityISOUnit:3 ConditionRateRatio#9 ConditionRateRatioSAPUnit:3* ConditionRateRatioISOUnit:3*
    ConditionAmount#3 TransactionCurrency:3
"""
_FIELDS = {
    "SalesOrder": """
        SalesOrder:10* SalesOrderType:4* SoldToParty:10 SalesOrganization:4 DistributionChannel:2
        OrganizationDivision:2 SalesOffice:4 SalesGroup:3 SalesDistrict:6 PurchaseOrderByCustomer:35
        PurchaseOrderByShipToParty:35 CustomerPurchaseOrderType:4 CustomerPurchaseOrderDate SDDocumentReason:3
        SalesOrderDate RequestedDeliveryDate PricingDate ServicesRenderedDate BillingDocumentDate
        TransactionCurrency:3 DeliveryDateTypeRule:1 ShippingCondition:2 CompleteDeliveryIsDefined
        SlsDocIsRlvtForProofOfDeliv ShippingType:2 ReceivingPoint:25 IncotermsClassification:3
        IncotermsVersion:4 IncotermsLocation1:70 IncotermsLocation2:70 CustomerPriceGroup:2 PriceListType:2
        FixedValueDate TaxDepartureCountry:3 VATRegistrationCountry:3 IsEUTriangularDeal CustomerPaymentTerms:4
        PaymentMethod:1 CustomerAccountAssignmentGroup:2 AssignmentReference:18
        AccountingDocExternalReference:16 HeaderBillingBlockReason:2 DeliveryBlockReason:2 CustomerGroup:2
        AdditionalCustomerGroup1:3 AdditionalCustomerGroup2:3 AdditionalCustomerGroup3:3
        AdditionalCustomerGroup4:3 AdditionalCustomerGroup5:3 _Item* _Partner* _PricingElement* _Text*
    """,
    "SalesOrderItem": """
        SalesOrderItem:6* HigherLevelItem:6 SalesOrderItemCategory:4 SalesOrderItemText:40 Product:18
        ProductGroup:9 MaterialByCustomer:35 InternationalArticleNumber:18 PurchaseOrderByCustomer:35
        RequestedQuantity#3 RequestedQuantitySAPUnit:3 RequestedQuantityISOUnit:3 ItemGrossWeight#3 ItemNetWeight#3
        ItemWeightSAPUnit:3 ItemWeightISOUnit:3 ItemVolume#3 ItemVolumeSAPUnit:3 ItemVolumeISOUnit:3
        RequestedDeliveryDate PricingDate ServicesRenderedDate BillingDocumentDate CustomerGroup:2 Batch:10
        Plant:4 StorageLocation:4 ShippingPoint:4 ShippingType:2 Route:6 DeliveryPriority:2
        PartialDeliveryIsAllowed:1 MaxNmbrOfPartialDelivery#0 DeliveryDateTypeRule:1 ReceivingPoint:25
        DeliveryGroup:3 IncotermsClassification:3 IncotermsLocation1:70 IncotermsLocation2:70
        CustomerPaymentTerms:4 FixedValueDate CustomerPriceGroup:2 MaterialPricingGroup:2 ProfitCenter:10
        MatlAccountAssignmentGroup:2 ItemBillingBlockReason:2 SalesDocumentRjcnReason:2 _ItemPartner*
        _ItemPricingElement* _ItemText*
    """,
    "SalesOrderPricingElement": _PRICE,
    "SalesOrderItemPricingElement": _PRICE,
    "SalesOrderPartner": "PartnerFunction:2* Customer:10 Supplier:10 Personnel:8 ContactPerson:10",
    "SalesOrderText": "Language:2* LongTextID:4* LongText",
}
# entity -> field -> what stands behind its name
FIELDS = {
    entity: {one.rstrip("*").partition(":")[0].partition("#")[0]: one for one in text.split()}
    for entity, text in _FIELDS.items()
}


def wrong(entity: str, body: Mapping[str, Any], changing: bool = False) -> tuple[str, str] | None:
    """The first (field, why) that the service would not take."""
    for name, value in body.items():
        rule = FIELDS[entity].get(name)
        if rule is None or (changing and rule.endswith("*")):
            return name, f"Property '{name}' is not allowed here"
        why = _decimal(name, value, rule) if "#" in rule else _plain(name, value, rule)
        if why:
            return name, why
    return None


def _decimal(name: str, value: Any, rule: str) -> str:
    """A number, or a number as text."""
    try:
        told = Decimal(str(value))
    except InvalidOperation:
        return f"Property '{name}' has an invalid value"
    places = int(rule.rstrip("*").partition("#")[2])
    exponent = told.normalize().as_tuple().exponent
    if isinstance(value, bool) or not isinstance(exponent, int) or -exponent > places:
        return f"Property '{name}' has an invalid value"
    return ""


def _plain(name: str, value: Any, rule: str) -> str:
    longest = rule.rstrip("*").partition(":")[2]
    if longest and (not isinstance(value, str) or len(value) > int(longest)):
        return f"Property '{name}' is no text of at most {longest}"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"Property '{name}' has an invalid value"
    return ""
