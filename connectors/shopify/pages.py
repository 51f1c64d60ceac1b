"""GraphQL documents that read on where an object's parts go beyond one answer.

A connection is paged by cursor. `Order.refunds`, `fulfillments` and `transactions` are lists without one: what is beyond the
first answer is listed by id, up to the 250 that Shopify gives at once, and read one by one. Few orders have returns: an order
lists their ids, and each is read by itself.
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

RETURNED_LINES = """
    id quantity processedQuantity returnReasonNote customerNote
    returnReasonDefinition { handle }
    ... on ReturnLineItem { fulfillmentLineItem { lineItem { id sku } } }
"""
EXCHANGED_LINES = "id quantity lineItems { id sku }"
RETURNS = _further("order", "returns", "id")
RETURN_LINES = _further("return", "returnLineItems", RETURNED_LINES)
RETURN_EXCHANGES = _further("return", "exchangeLineItems", EXCHANGED_LINES)
ONE_RETURN = Document(
    "return",
    f"""
query OneReturn($id: ID!) {{
  return(id: $id) {{
    id name status createdAt
    returnLineItems(first: 20) {{ nodes {{ {RETURNED_LINES} }} pageInfo {{ hasNextPage endCursor }} }}
    exchangeLineItems(first: 20) {{ nodes {{ {EXCHANGED_LINES} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}
""",
    cost=15,
)
ORDER_OF_RETURN = Document("return", "\nquery OrderOfReturn($id: ID!) { return(id: $id) { order { id } } }\n", cost=2)
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
