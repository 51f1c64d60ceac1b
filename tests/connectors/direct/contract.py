"""What a channel without a connector offers to the suite that all inherit: its deliveries come by our own API."""

from __future__ import annotations

from tests.contract.contract import Contract, Fixture

OURS = "its deliveries come by our own API, behind keys (tests/api); nobody signs or is called"
FIXTURES = (
    Fixture("order__plain", "order", ("order:M-1",), ("id", "currency", "placed_at", "totals", "lines[0].quantity")),
    Fixture("order__edited", "order", ("order:M-1",), ("number",)),
    Fixture("cancellation__whole", "cancellation", ("cancellation:M-1",), ("order_id", "at")),
    Fixture("cancellation__one_piece", "cancellation", ("cancellation:M-1",), ("currency", "lines[0].line_id")),
    Fixture("till_void__one_piece", "till.void", ("void:T1-17",), ("order_id", "currency", "lines[0].line_id")),
    Fixture("till_sale__plain", "till.sale", ("order:T1-17",), ("id", "lines[0].unit_price")),
)
UNREAD = "any answer of 200 to 299 is a thank-you: its body is not read (Standard Webhooks)"
CONTRACT = Contract(
    settings={"private_hosts": ["127.0.0.1:*"]},
    fixtures=FIXTURES,
    versions=(("order__plain", "order__edited"),),
    settles=0.3,
    exempt={
        **dict.fromkeys(("signature", "raw_body", "rotation", "handshake", "duplicates"), OURS),
        **dict.fromkeys(("paging", "cursor", "fetch", "queue", "token_expiry", "batch", "missing_code"), OURS),
        **dict.fromkeys(("daily_quota", "addresses", "version"), OURS),
        "refused_login": "a partner's 401 is its own mistake and is tried again: it is no login of ours",
        "foreign_host": "a partner names its address itself: tests/api/test_outward.py tries which ones are called",
        "html_page": UNREAD,
        "half_an_answer": UNREAD,
        "limits": "Standard Webhooks names no limits: those in the manifest are our own manners",
    },
)
