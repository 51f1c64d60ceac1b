"""GraphQL documents that read on where an object's parts go beyond one answer.

A connection is paged by cursor. `Order.refunds`, `fulfillments` and `transactions` are lists without one: what is beyond the
first answer is listed by id, up to the 250 that Shopify gives at once, and read one by one.
Source: Admin GraphQL 2026-07 schema; https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

from connectors.shopify.documents import (
    ALLOCATION,
    BAG,
    FULFILMENT,
    REFUND,
    SHIPPING_LINE,
    TAXES,
    TRANSACTION,
    Document,
)

MOST = 250  # rows of one answer


def _further(root: str, name: str, rows: str, fragments: str = "", also: str = "") -> Document:
    """The next page of a connection inside an object."""
    title = f"{root[0].upper()}{root[1:]}{name[0].upper()}{name[1:]}"
    page = f"{name}(first: 100, after: $after{also}) {{ nodes {{ {rows} }} pageInfo {{ hasNextPage endCursor }} }}"
    text = f"\nquery {title}($id: ID!, $after: String) {{ {root}(id: $id) {{ {page} }} }}\n"
    return Document(root, text + fragments, cost=10)


DISCOUNTS = _further(
    "order",
    "discountApplications",
    """
    __typename index
    ... on DiscountCodeApplication { code }
    ... on ManualDiscountApplication { title description }
    ... on AutomaticDiscountApplication { title }
    ... on ScriptDiscountApplication { title }
    """,
)
SHIPPING_LINES = _further(
    "order",
    "shippingLines",
    "...Shipping",
    SHIPPING_LINE + BAG + TAXES + ALLOCATION,
    also=", includeRemovals: true",
)
FULFILMENT_ORDERS = _further(
    "order",
    "fulfillmentOrders",
    """
    id status
    assignedLocation { location { id } }
    lineItems(first: 50) { nodes { id remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor } }
    """,
)
REFUND_SHIPPING = _further(
    "refund",
    "refundShippingLines",
    "subtotalAmountSet { ...Bag } taxAmountSet { ...Bag }",
    BAG,
)
REFUND_ADJUSTMENTS = _further("refund", "orderAdjustments", "reason amountSet { ...Bag } taxAmountSet { ...Bag }", BAG)
REFUND_TRANSACTIONS = _further("refund", "transactions", "...Transaction", TRANSACTION + BAG)

LISTED = Document(
    "order",
    f"""
query OrderListed($id: ID!) {{
  order(id: $id) {{
    refunds(first: {MOST}) {{ id }}
    fulfillments(first: {MOST}) {{ id }}
    transactions(first: {MOST}) {{ ...Transaction }}
  }}
}}
"""
    + TRANSACTION
    + BAG,
    cost=40,
)
ONE_REFUND = Document(
    "refund",
    "\nquery OneRefund($id: ID!) { refund(id: $id) { ...Refunded } }\n" + REFUND + TRANSACTION + BAG,
    cost=20,
)
ONE_FULFILMENT = Document(
    "fulfillment",
    "\nquery OneFulfilment($id: ID!) { fulfillment(id: $id) { ...Shipped } }\n" + FULFILMENT,
    cost=10,
)

DOCUMENTS: tuple[Document, ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Document)
)  # each one above
