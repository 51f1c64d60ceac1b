"""What each entity takes, with the longest text: names and lengths of the published contracts (API_SALES_ORDER_SRV 1.0.0,
API_OUTBOUND_DELIVERY_SRV;v=0002 2.1.0, API_CUSTOMER_RETURNS_DELIVERY_SRV;v=0002 2.1.0, API_MATERIAL_DOCUMENT_SRV 1.3.0); of the
last four, whose contract is not saved, what we send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIELDS = {
    "A_SalesOrder": """
        SalesOrder:10 SalesOrderType:4 SalesOrganization:4 DistributionChannel:2 OrganizationDivision:2 SalesGroup:3
        SalesOffice:4 SalesDistrict:6 SoldToParty:10 PurchaseOrderByCustomer:35 PurchaseOrderByShipToParty:35
        CustomerPurchaseOrderType:4 CustomerPurchaseOrderDate SalesOrderDate TransactionCurrency:5 SDDocumentReason:3
        PricingDate PriceDetnExchangeRate BillingPlan:10 RequestedDeliveryDate ShippingCondition:2
        CompleteDeliveryIsDefined ShippingType:2 HeaderBillingBlockReason:2 DeliveryBlockReason:2
        DeliveryDateTypeRule:1 IncotermsClassification:3 IncotermsTransferLocation:28 IncotermsLocation1:70
        IncotermsLocation2:70 IncotermsVersion:4 CustomerPriceGroup:2 PriceListType:2 CustomerPaymentTerms:4
        PaymentMethod:1 FixedValueDate AssignmentReference:18 ReferenceSDDocument:10 AccountingDocExternalReference:16
        CustomerAccountAssignmentGroup:2 AccountingExchangeRate CustomerGroup:2 AdditionalCustomerGroup1:3
        AdditionalCustomerGroup2:3 AdditionalCustomerGroup3:3 AdditionalCustomerGroup4:3 AdditionalCustomerGroup5:3
        SlsDocIsRlvtForProofOfDeliv CustomerTaxClassification1:1 CustomerTaxClassification2:1
        CustomerTaxClassification3:1 CustomerTaxClassification4:1 CustomerTaxClassification5:1
        CustomerTaxClassification6:1 CustomerTaxClassification7:1 CustomerTaxClassification8:1
        CustomerTaxClassification9:1 TaxDepartureCountry:3 VATRegistrationCountry:3 BillingDocumentDate
        ContractAccount:12 AdditionalValueDays:2 CustomerPurchaseOrderSuplmnt:4 ServicesRenderedDate to_BillingPlan
        to_Item to_Partner to_PaymentPlanItemDetails to_PrecedingProcFlowDoc to_PricingElement to_RelatedObject
        to_SubsequentProcFlowDoc to_Text
    """,
    "A_SalesOrderItem": """
        SalesOrderItem:6 HigherLevelItem:6 SalesOrderItemCategory:4 SalesOrderItemText:40 PurchaseOrderByCustomer:35
        PurchaseOrderByShipToParty:35 UnderlyingPurchaseOrderItem:6 Material:40 MaterialByCustomer:35 PricingDate
        PricingReferenceMaterial:40 BillingPlan:10 RequestedQuantity RequestedQuantityUnit:3
        RequestedQuantitySAPUnit:3 RequestedQuantityISOUnit:3 ItemWeightSAPUnit:3 ItemWeightISOUnit:3
        ItemVolumeSAPUnit:3 ItemVolumeISOUnit:3 MaterialGroup:9 MaterialPricingGroup:2 AdditionalMaterialGroup1:3
        AdditionalMaterialGroup2:3 AdditionalMaterialGroup3:3 AdditionalMaterialGroup4:3 AdditionalMaterialGroup5:3
        BillingDocumentDate ContractAccount:12 AdditionalValueDays:2 ServicesRenderedDate Batch:10 ProductionPlant:4
        StorageLocation:4 DeliveryGroup:3 ShippingPoint:4 ShippingType:2 DeliveryPriority:2
        DeliveryDateQuantityIsFixed DeliveryDateTypeRule:1 IncotermsClassification:3 IncotermsTransferLocation:28
        IncotermsLocation1:70 IncotermsLocation2:70 TaxAmount ProductTaxClassification1:1 ProductTaxClassification2:1
        ProductTaxClassification3:1 ProductTaxClassification4:1 ProductTaxClassification5:1
        ProductTaxClassification6:1 ProductTaxClassification7:1 ProductTaxClassification8:1
        ProductTaxClassification9:1 MatlAccountAssignmentGroup:2 CostAmount CustomerPaymentTerms:4 FixedValueDate
        CustomerGroup:2 SalesDocumentRjcnReason:2 ItemBillingBlockReason:2 SlsDocIsRlvtForProofOfDeliv WBSElement:24
        ProfitCenter:10 AccountingExchangeRate ReferenceSDDocument:10 ReferenceSDDocumentItem:6 to_BillingPlan
        to_PrecedingProcFlowDocItem to_PricingElement to_RelatedObject to_ScheduleLine to_SubsequentProcFlowDocItem
        to_Text
    """,
    "A_SalesOrderItemPrElement": """
        PricingProcedureStep:3 PricingProcedureCounter:3 ConditionType:4 ConditionRateValue ConditionCurrency:5
        ConditionQuantity ConditionQuantityUnit:3 ConditionQuantitySAPUnit:3 ConditionQuantityISOUnit:3
        TransactionCurrency:5
    """,
    "A_SalesOrderHeaderPartner": """
        PartnerFunction:2 Customer:10 Supplier:10 Personnel:8 ContactPerson:10 AddressID:10 VATRegistration:20
        to_Address
    """,
    "A_SalesOrderPartnerAddress": """
        SalesOrder:10 PartnerFunction:2 AddressRepresentationCode:1 CorrespondenceLanguage:2 AddresseeFullName:80
        OrganizationName1:40 OrganizationName2:40 OrganizationName3:40 OrganizationName4:40 CityName:40
        DistrictName:40 PostalCode:10 StreetPrefixName1:40 StreetPrefixName2:40 StreetName:60 StreetSuffixName1:40
        StreetSuffixName2:40 HouseNumber:10 Country:3 Region:3 FormOfAddress:4 TaxJurisdiction:15 TransportZone:10
        POBox:10 POBoxPostalCode:10 EmailAddress:241 MobilePhoneCountry:3 MobileNumber:30 PhoneNumberCountry:3
        PhoneNumber:30 PhoneExtensionNumber:10 FaxNumberCountry:3 FaxAreaCodeSubscriberNumber:30 FaxExtensionNumber:10
    """,
    "A_SalesOrderText": """
        Language:2 LongTextID:4 LongText
    """,
    "A_OutbDeliveryHeader": """
        ActualGoodsMovementDate BillOfLading:35 DeliveryBlockReason:2 DeliveryDate DeliveryDocumentBySupplier:35
        DeliveryPriority:2 DeliveryTime GoodsIssueTime HeaderGrossWeight HeaderNetWeight HeaderVolume
        HeaderVolumeUnit:3 HeaderWeightUnit:3 IncotermsClassification:3 IncotermsTransferLocation:28 LoadingDate
        LoadingTime MeansOfTransport:20 MeansOfTransportType:4 PickingDate PickingTime PlannedGoodsIssueDate
        ProposedDeliveryRoute:6 ShippingPoint:4 TransportationPlanningDate TransportationPlanningTime
        UnloadingPointName:25 to_DeliveryDocumentText to_HandlingUnitHeaderDelivery to_DeliveryDocumentPartner
        to_DeliveryDocumentItem
    """,
    "A_OutbDeliveryItem": """
        ActualDeliveredQtyInBaseUnit ActualDeliveryQuantity Batch:10 DeliveryDocument:10 DeliveryDocumentItemText:40
        DeliveryQuantityUnit:3 EUDeliveryItemARCStatus:1 InventoryValuationType:10 ItemGrossWeight ItemNetWeight
        ItemVolume ItemVolumeUnit:3 ItemWeightUnit:3 ManufactureDate MaterialByCustomer:35 ReferenceSDDocument:10
        ReferenceSDDocumentItem:6 ShelfLifeExpirationDate StorageLocation:4 to_SerialDeliveryItem to_DocumentFlow
        to_HandlingUnitItemDelivery to_DeliveryDocumentItemText
    """,
    "A_ReturnsDeliveryHeader": """
        ActualGoodsMovementDate ActualGoodsMovementTime BillOfLading:35 CreationDate CreationTime
        DeliveryBlockReason:2 DeliveryDate DeliveryDocumentBySupplier:35 DeliveryPriority:2 DeliveryTime
        GoodsIssueTime HeaderGrossWeight HeaderNetWeight HeaderVolume HeaderVolumeUnit:3 HeaderWeightUnit:3
        IncotermsClassification:3 IncotermsTransferLocation:28 LoadingDate LoadingTime PickingDate PickingTime
        PlannedGoodsIssueDate ProposedDeliveryRoute:6 ShippingPoint:4 ShippingType:2
        TransportationPlanningDate TransportationPlanningTime UnloadingPointName:25 to_DeliveryDocumentItem
        to_DeliveryDocumentPartner
    """,
    "A_ReturnsDeliveryItem": """
        ActualDeliveryQuantity Batch:10 DeliveryDocument:10 DeliveryQuantityUnit:3 ManufactureDate
        ReferenceSDDocument:10 ReferenceSDDocumentItem:6 ShelfLifeExpirationDate to_SerialDeliveryItem
        to_DocumentFlow
    """,
    "A_MaterialDocumentHeader": """
        MaterialDocumentYear:4 MaterialDocument:10 InventoryTransactionType:2 DocumentDate PostingDate
        CreationDate CreationTime CreatedByUser:12 MaterialDocumentHeaderText:25 ReferenceDocument:16
        VersionForPrintingSlip:1 ManualPrintIsTriggered:1 CtrlPostgForExtWhseMgmtSyst:1 GoodsMovementCode:2
        to_MaterialDocumentItem
    """,
    "A_MaterialDocumentItem": """
        MaterialDocumentYear:4 MaterialDocument:10 MaterialDocumentItem:4 Material:40 Plant:4
        StorageLocation:4 Batch:10 GoodsMovementType:3 InventoryStockType:2 InventoryValuationType:10
        InventorySpecialStockType:1 Supplier:10 Customer:10 SalesOrder:10 SalesOrderItem:6
        SalesOrderScheduleLine:4 PurchaseOrder:10 PurchaseOrderItem:5 WBSElement:24 ManufacturingOrder:12
        ManufacturingOrderItem:4 GoodsMovementRefDocType:1 GoodsMovementReasonCode:4 Delivery:10
        DeliveryItem:6 AccountAssignmentCategory:1 CostCenter:10 ControllingArea:4 CostObject:12 GLAccount:10
        FunctionalArea:16 ProfitabilitySegment:10 ProfitCenter:10 MasterFixedAsset:12 FixedAsset:4
        MaterialBaseUnit:3 QuantityInBaseUnit EntryUnit:3 QuantityInEntryUnit CompanyCodeCurrency:5
        GdsMvtExtAmtInCoCodeCrcy SlsPrcAmtInclVATInCoCodeCrcy FiscalYear:4 FiscalYearPeriod:7
        FiscalYearVariant:2 IssgOrRcvgMaterial:40 IssgOrRcvgBatch:10 IssuingOrReceivingPlant:4
        IssuingOrReceivingStorageLoc:4 IssuingOrReceivingStockType:2 IssgOrRcvgSpclStockInd:1
        IssuingOrReceivingValType:10 IsCompletelyDelivered MaterialDocumentItemText:50 GoodsRecipientName:12
        UnloadingPointName:25 ShelfLifeExpirationDate ManufactureDate SerialNumbersAreCreatedAutomly
        Reservation:10 ReservationItem:4 ReservationItemRecordType:1 ReservationIsFinallyIssued
        SpecialStockIdfgSalesOrder:10 SpecialStockIdfgSalesOrderItem:6 SpecialStockIdfgWBSElement:24
        IsAutomaticallyCreated:1 MaterialDocumentLine:6 MaterialDocumentParentLine:6 HierarchyNodeLevel:2
        GoodsMovementIsCancelled ReversedMaterialDocumentYear:4 ReversedMaterialDocument:10
        ReversedMaterialDocumentItem:4 ReferenceDocumentFiscalYear:4 InvtryMgmtRefDocumentItem:4
        InvtryMgmtReferenceDocument:10 MaterialDocumentPostingType:1 InventoryUsabilityCode:1 EWMWarehouse:4
        EWMStorageBin:18 DebitCreditCode:1 to_MaterialDocumentHeader to_SerialNumbers
    """,
    "A_CreditMemoRequest": """
        CreditMemoRequestType:4 SalesOrganization:4 DistributionChannel:2 OrganizationDivision:2 SoldToParty:10
        CreditMemoRequestDate SDDocumentReason:3 PurchaseOrderByCustomer:35 TransactionCurrency:5 to_Item
    """,
    "A_CreditMemoRequestItem": "Material:40 RequestedQuantity RequestedQuantityUnit:3 to_PricingElement",
    "A_CustomerReturn": """
        CustomerReturnType:4 SalesOrganization:4 DistributionChannel:2 OrganizationDivision:2 SoldToParty:10
        SDDocumentReason:3 PurchaseOrderByCustomer:35 to_Item
    """,
    "A_CustomerReturnItem": "Material:40 RequestedQuantity RequestedQuantityUnit:3 Plant:4",
}
FIELDS: dict[str, dict[str, int]] = {
    entity: {name: int(length or 0) for name, _, length in (one.partition(":") for one in text.split())}
    for entity, text in _FIELDS.items()
}


def wrong(entity: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first (field, why) that a service would not take."""
    for name, value in body.items():
        if name not in FIELDS[entity]:
            return name, f"Property {name} is invalid"
        longest = FIELDS[entity][name]
        if longest and len(str(value)) > longest:
            return name, f"Property {name} has a value longer than {longest}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            return name, f"Property {name} must be text"
    return None
