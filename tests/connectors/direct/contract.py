"""What a channel without a connector offers to the suite that all inherit: its deliveries come by our own API."""

from __future__ import annotations

from tests.contract.contract import Contract, Fixture

OURS = "its deliveries come by our own API, behind keys (tests/api); nobody signs or is called"
FIXTURES = (
    Fixture("order__plain", "order", ("order:M-1",), ("id", "currency", "placed_at", "totals", "lines[0].quantity")),
    Fixture("order__edited", "order", ("order:M-1",), ("number",)),
    Fixture("cancellation__whole", "cancellation", ("cancellation:M-1",), ("order_id", "at")),
    Fixture("cancellation__one_piece", "cancellation", ("cancellation:M-1",), ("currency", "lines[0].line_id")),
    Fixture("till_sale__plain", "till.sale", ("order:T1-17",), ("id", "lines[0].unit_price")),
)
CONTRACT = Contract(
    fixtures=FIXTURES,
    versions=(("order__plain", "order__edited"),),
    exempt=dict.fromkeys(
        (
            "signature",
            "raw_body",
            "rotation",
            "handshake",
            "duplicates",
            "paging",
            "cursor",
            "fetch",
            "queue",
            "token_expiry",
            "batch",
            "missing_code",
            "limits",
            "version",
            "daily_quota",
            "masking",
            "foreign_host",
            "addresses",
        ),
        OURS,
    ),
)
