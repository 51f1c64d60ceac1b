"""What the public copies of the metadata of API_PRODUCT_SRV and API_SLSPRICINGCONDITIONRECORD_SRV call what the hub reads: no
export of either is saved, so these names are transcribed.
"""

from __future__ import annotations

PUBLISHED = {
    "A_Product": frozenset(
        "Product ProductType BaseUnit LastChangeDateTime GrossWeight WeightUnit IsMarkedForDeletion ProductStandardID "
        "CountryOfOrigin to_Description".split()
    ),
    "A_SlsPrcgCndnRecdValidity": frozenset(
        "ConditionRecord ConditionValidityEndDate ConditionValidityStartDate ConditionType ConditionReleaseStatus Material "
        "SalesOrganization DistributionChannel PriceListType Customer CustomerPriceGroup to_SlsPrcgConditionRecord".split()
    ),
    "A_SlsPrcgConditionRecord": frozenset(
        "ConditionRecord ConditionType ConditionRateValue ConditionRateValueUnit ConditionQuantity ConditionQuantityUnit "
        "ConditionToBaseQtyNmrtr ConditionToBaseQtyDnmntr ConditionIsDeleted ConditionReleaseStatus "
        "to_SlsPrcgCndnRecordScale".split()
    ),
}
