"""What files over SFTP offer to the suite that all inherit: next to nothing, since no vendor's protocol but SSH is spoken."""

from __future__ import annotations

from tests.contract.contract import Contract

WHY = "files are read by feeds, over SSH: tests/feeds tries them against a real server, bad days included"
CONTRACT = Contract(
    exempt=dict.fromkeys(
        (
            "fixtures",
            "readings",
            "schema_drift",
            "unknown_topic",
            "out_of_order",
            "money",
            "addresses",
            "signature",
            "raw_body",
            "rotation",
            "handshake",
            "duplicates",
            "steps",
            "paging",
            "cursor",
            "fetch",
            "queue",
            "token_expiry",
            "batch",
            "missing_code",
            "limits",
            "version",
            "masking",
            "foreign_host",
            "echo",
            "daily_quota",
        ),
        WHY,
    ),
)
