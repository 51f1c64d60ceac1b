"""Which record of a NetSuite account is made of which, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.netsuite.simulator_billing import cash_sale, invoice
from connectors.netsuite.simulator_money import apply_deposit
from connectors.netsuite.simulator_returns import authorize, credit, receive_purchase, receive_return
from connectors.netsuite.simulator_shipping import fulfil

TRANSFORMS: dict[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("salesOrder", "itemFulfillment"): fulfil,
    ("salesOrder", "invoice"): invoice,
    ("salesOrder", "cashSale"): cash_sale,
    ("salesOrder", "returnAuthorization"): authorize,
    ("returnAuthorization", "itemReceipt"): receive_return,
    ("purchaseOrder", "itemReceipt"): receive_purchase,
    ("returnAuthorization", "creditMemo"): credit,
    ("customerDeposit", "depositApplication"): apply_deposit,
}
