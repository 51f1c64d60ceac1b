"""Every GraphQL document that is sent to Shopify, with what it usually costs.

All validate against the Admin GraphQL 2026-07 schema (tests/connectors/shopify/test_documents.py). `cost` is what a
call usually costs in points, as asked of the limiter; the answer's own figure corrects it (client.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """`operation` is the root field, by which limits, exchanges and the simulator's log name the call."""

    operation: str
    text: str
    cost: float
    write: bool = False


BAG = """
fragment Bag on MoneyBag {
  shopMoney { amount currencyCode }
  presentmentMoney { amount currencyCode }
}
"""
TAXES = """
fragment Taxes on TaxLine { title rate channelLiable priceSet { ...Bag } }
"""
ALLOCATION = """
fragment Allocation on DiscountAllocation { allocatedAmountSet { ...Bag } discountApplication { index } }
"""
LINE = """
fragment Line on LineItem {
  id name title sku quantity currentQuantity isGiftCard requiresShipping taxable
  product { id }
  variant { id }
  lineItemGroup { id }
  customAttributes { key value }
  originalUnitPriceSet { ...Bag }
  discountAllocations { ...Allocation }
  taxLines { ...Taxes }
  duties { id harmonizedSystemCode price { ...Bag } taxLines { ...Taxes } }
}
"""
SHIPPING_LINE = """
fragment Shipping on ShippingLine {
  id title code carrierIdentifier isRemoved
  originalPriceSet { ...Bag }
  discountAllocations { ...Allocation }
  taxLines { ...Taxes }
}
"""
ADDRESS = """
fragment Address on MailingAddress {
  name firstName lastName company address1 address2 city province provinceCode zip countryCodeV2 phone
}
"""
TRANSACTION = """
fragment Transaction on OrderTransaction {
  id kind status gateway paymentId createdAt processedAt
  amountSet { ...Bag }
  parentTransaction { id }
  multiCapturable authorizationExpiresAt
}
"""
FULFILMENT = """
fragment Shipped on Fulfillment {
  id status displayStatus createdAt updatedAt
  location { id }
  trackingInfo { number company url }
  fulfillmentLineItems(first: 100) {
    nodes { quantity lineItem { id sku } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
REFUND = """
fragment Refunded on Refund {
  id note createdAt processedAt
  return { id }
  refundLineItems(first: 100) {
    nodes {
      quantity restockType
      subtotalSet { ...Bag }
      totalTaxSet { ...Bag }
      lineItem { id sku }
      location { id }
    }
    pageInfo { hasNextPage endCursor }
  }
  refundShippingLines(first: 10) {
    nodes { subtotalAmountSet { ...Bag } taxAmountSet { ...Bag } }
    pageInfo { hasNextPage endCursor }
  }
  orderAdjustments(first: 10) {
    nodes { reason amountSet { ...Bag } taxAmountSet { ...Bag } }
    pageInfo { hasNextPage endCursor }
  }
  duties { amountSet { ...Bag } }
  transactions(first: 20) {
    nodes { ...Transaction }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ORDER = Document(
    "order",
    """
query Order($id: ID!) {
  order(id: $id) {
    id name createdAt processedAt updatedAt cancelledAt cancelReason
    currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded taxExempt test
    email phone note tags poNumber sourceName sourceIdentifier customerLocale
    displayFinancialStatus displayFulfillmentStatus paymentGatewayNames discountCodes
    customAttributes { key value }
    retailLocation { id }
    purchasingEntity { ... on PurchasingCompany { company { id } } }
    customer {
      id firstName lastName taxExempt
      defaultEmailAddress { emailAddress }
      defaultPhoneNumber { phoneNumber }
    }
    billingAddress { ...Address }
    shippingAddress { ...Address }
    totalPriceSet { ...Bag }
    totalTaxSet { ...Bag }
    totalDiscountsSet { ...Bag }
    totalShippingPriceSet { ...Bag }
    totalTipReceivedSet { ...Bag }
    totalOutstandingSet { ...Bag }
    totalCashRoundingAdjustment { paymentSet { ...Bag } }
    originalTotalAdditionalFeesSet { ...Bag }
    currentTotalPriceSet { ...Bag }
    currentTotalTaxSet { ...Bag }
    currentTotalDiscountsSet { ...Bag }
    currentShippingPriceSet { ...Bag }
    currentTotalDutiesSet { ...Bag }
    currentTotalAdditionalFeesSet { ...Bag }
    discountApplications(first: 50) {
      nodes {
        __typename index
        ... on DiscountCodeApplication { code }
        ... on ManualDiscountApplication { title description }
        ... on AutomaticDiscountApplication { title }
        ... on ScriptDiscountApplication { title }
      }
      pageInfo { hasNextPage endCursor }
    }
    lineItems(first: 100) {
      nodes { ...Line }
      pageInfo { hasNextPage endCursor }
    }
    shippingLines(first: 20, includeRemovals: true) {
      nodes { ...Shipping }
      pageInfo { hasNextPage endCursor }
    }
    returns(first: 10) {
      nodes { id }
      pageInfo { hasNextPage endCursor }
    }
    transactions(first: 100) { ...Transaction }
    fulfillments(first: 50) { ...Shipped }
    refunds(first: 50) { ...Refunded }
  }
}
"""
    + BAG
    + TAXES
    + ALLOCATION
    + LINE
    + SHIPPING_LINE
    + ADDRESS
    + TRANSACTION
    + FULFILMENT
    + REFUND,
    cost=40,
)
ORDER_LINES = Document(
    "order",
    """
query OrderLines($id: ID!, $after: String) {
  order(id: $id) {
    lineItems(first: 100, after: $after) {
      nodes { ...Line }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + BAG
    + TAXES
    + ALLOCATION
    + LINE,
    cost=30,
)
FULFILMENT_LINES = Document(
    "fulfillment",
    """
query FulfilmentLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 100, after: $after) {
      nodes { quantity lineItem { id sku } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
    cost=10,
)
REFUND_LINES = Document(
    "refund",
    """
query RefundLines($id: ID!, $after: String) {
  refund(id: $id) {
    refundLineItems(first: 100, after: $after) {
      nodes {
        quantity restockType
        subtotalSet { ...Bag }
        totalTaxSet { ...Bag }
        lineItem { id sku }
        location { id }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + BAG,
    cost=20,
)
CHANGED_ORDERS = Document(
    "orders",
    """
query ChangedOrders($query: String!, $first: Int!, $after: String) {
  orders(query: $query, sortKey: UPDATED_AT, first: $first, after: $after) {
    nodes { id updatedAt cancelledAt refunds(first: 50) { id } fulfillments(first: 50) { id } }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    cost=20,
)

PRODUCT_PARTS = """
fragment ProductParts on Product {
  id title vendor status productType isGiftCard updatedAt
  variants(first: 100) {
    nodes { ...VariantParts }
    pageInfo { hasNextPage endCursor }
  }
}
fragment VariantParts on ProductVariant {
  id title sku barcode price compareAtPrice requiresComponents
  inventoryItem { id }
}
"""
PRODUCT = Document(
    "product",
    "query Product($id: ID!) { product(id: $id) { ...ProductParts } }" + PRODUCT_PARTS,
    cost=10,
)
PRODUCT_VARIANTS = Document(
    "product",
    """
query ProductVariants($id: ID!, $after: String) {
  product(id: $id) {
    variants(first: 100, after: $after) {
      nodes {
        id title sku barcode price compareAtPrice requiresComponents
        inventoryItem { id }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
    cost=10,
)
CHANGED_PRODUCTS = Document(
    "products",
    """
query ChangedProducts($query: String!, $first: Int!, $after: String) {
  products(query: $query, sortKey: UPDATED_AT, first: $first, after: $after) {
    nodes { ...ProductParts }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + PRODUCT_PARTS,
    cost=60,
)
VARIANT_PRICES = Document(
    "productVariants",
    """
query VariantPrices($query: String!, $first: Int!, $after: String) {
  productVariants(query: $query, first: $first, after: $after) {
    nodes { id sku price compareAtPrice product { id } }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    cost=10,
)
SHOP_CURRENCY = Document("shop", "query ShopCurrency { shop { currencyCode } }", cost=1)
SET_PRICES = Document(
    "productVariantsBulkUpdate",
    """
mutation SetPrices($product: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $product, variants: $variants, allowPartialUpdates: true) {
    productVariants { id price compareAtPrice }
    userErrors { field message code }
  }
}
""",
    cost=11,
    write=True,
)
FIXED_PRICES = Document(
    "priceList",
    """
query FixedPrices($id: ID!, $query: String!, $first: Int!) {
  priceList(id: $id) {
    currency
    prices(originType: FIXED, query: $query, first: $first) {
      nodes {
        price { amount currencyCode }
        compareAtPrice { amount currencyCode }
        variant { id }
      }
    }
  }
}
""",
    cost=10,
)
SET_FIXED_PRICES = Document(
    "priceListFixedPricesAdd",
    """
mutation SetFixedPrices($list: ID!, $prices: [PriceListPriceInput!]!) {
  priceListFixedPricesAdd(priceListId: $list, prices: $prices) {
    prices { variant { id } }
    userErrors { field message code }
  }
}
""",
    cost=11,
    write=True,
)

STOCK = Document(
    "inventoryItems",
    """
query Stock($query: String, $first: Int!, $after: String) {
  inventoryItems(query: $query, first: $first, after: $after) {
    nodes {
      id sku
      inventoryLevels(first: 20) {
        nodes {
          updatedAt
          location { id }
          quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    cost=40,
)
ITEM_LEVELS = Document(
    "inventoryItem",
    """
query ItemLevels($id: ID!, $after: String) {
  inventoryItem(id: $id) {
    inventoryLevels(first: 100, after: $after) {
      nodes {
        updatedAt
        location { id }
        quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
    cost=20,
)
LEVELS_AT = Document(
    "inventoryItems",
    """
query LevelsAt($query: String!, $location: ID!, $first: Int!) {
  inventoryItems(query: $query, first: $first) {
    nodes {
      id sku
      inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
    }
  }
}
""",
    cost=20,
)
SET_QUANTITIES = Document(
    "inventorySetQuantities",
    """
mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { field message code }
  }
}
""",
    cost=11,
    write=True,
)

SET_METAFIELD = Document(
    "metafieldsSet",
    """
mutation SetMetafield($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { id value }
    userErrors { field message code }
  }
}
""",
    cost=11,
    write=True,
)
METAFIELD = Document(
    "order",
    """
query OrderMetafield($id: ID!, $namespace: String!, $key: String!) {
  order(id: $id) { metafield(namespace: $namespace, key: $key) { id value } }
}
""",
    cost=2,
)

FULFILLABLE = Document(
    "order",
    """
query Fulfillable($id: ID!) {
  order(id: $id) {
    id name
    fulfillmentOrders(first: 50) {
      nodes {
        id status
        assignedLocation { location { id } }
        lineItems(first: 100) {
          nodes { id remainingQuantity lineItem { id } }
          pageInfo { hasNextPage endCursor }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
    fulfillments(first: 100) { ...Shipped }
  }
}
"""
    + FULFILMENT,
    cost=20,
)
FULFILLABLE_LINES = Document(
    "fulfillmentOrder",
    """
query FulfillableLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 100, after: $after) {
      nodes { id remainingQuantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
    cost=10,
)
CREATE_FULFILMENT = Document(
    "fulfillmentCreate",
    """
mutation CreateFulfilment($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}
""",
    cost=11,
    write=True,
)

TRANSACTIONS = Document(
    "order",
    """
query Transactions($id: ID!) {
  order(id: $id) { id transactions(first: 100) { ...Transaction } }
}
"""
    + BAG
    + TRANSACTION,
    cost=3,
)
CAPTURE = Document(
    "orderCapture",
    """
mutation Capture($input: OrderCaptureInput!) {
  orderCapture(input: $input) {
    transaction { id status }
    userErrors { field message }
  }
}
""",
    cost=10,
    write=True,
)
VOID = Document(
    "transactionVoid",
    """
mutation Void($parent: ID!) {
  transactionVoid(parentTransactionId: $parent) {
    transaction { id status }
    userErrors { field message code }
  }
}
""",
    cost=10,
    write=True,
)
STANDING = Document(
    "order",
    """
query Standing($id: ID!) {
  order(id: $id) { id cancelledAt fulfillments(first: 250) { status } }
}
""",
    cost=2,
)
CANCEL = Document(
    "orderCancel",
    """
mutation Cancel($order: ID!, $reason: OrderCancelReason!, $notify: Boolean!, $note: String!) {
  orderCancel(
    orderId: $order, reason: $reason, restock: true, notifyCustomer: $notify, staffNote: $note
    refundMethod: { originalPaymentMethodsRefund: false }
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
""",
    cost=11,
    write=True,
)
JOB = Document("job", "query Job($id: ID!) { job(id: $id) { id done } }", cost=1)
REFUNDS = Document(
    "order",
    """
query Refunds($id: ID!) {
  order(id: $id) { id refunds(first: 100) { id note } }
}
""",
    cost=2,
)
REFUND_ORDER = Document(
    "refundCreate",
    """
mutation RefundOrder($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id }
    userErrors { field message }
  }
}
""",
    cost=10,
    write=True,
)

SUBSCRIPTIONS = Document(
    "webhookSubscriptions",
    """
query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
""",
    cost=12,
)
SUBSCRIBE = Document(
    "webhookSubscriptionCreate",
    """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
""",
    cost=11,
    write=True,
)

DOCUMENTS: tuple[Document, ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Document)
)  # each one above
