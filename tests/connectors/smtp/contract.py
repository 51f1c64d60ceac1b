"""What mail offers to the suite that all inherit: one contract for each answer to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.contract import Contract
from tests.contract.system import System


def prepare(system: System) -> Mapping[str, Any]:
    """The simulator is asked over HTTP and written to by SMTP."""
    return {"base_url": system.get("/_sim/address")["smtp"], "timeout": 5.0}


def seen(system: System) -> Mapping[str, Any]:
    mails: Mapping[str, Any] = system.get("/_sim/effects")["mails"]
    return mails


SILENT = dict.fromkeys(
    (
        "fixtures",
        "readings",
        "schema_drift",
        "unknown_topic",
        "out_of_order",
        "money",
        "signature",
        "raw_body",
        "rotation",
        "handshake",
        "duplicates",
        "paging",
        "cursor",
        "fetch",
        "queue",
    ),
    "mail is only sent: it tells the hub nothing",
)
ALWAYS = {
    **SILENT,
    "token_expiry": "SMTP has no tokens",
    "daily_quota": "SMTP states no quota",
    "batch": "one mail, one conversation",
    "missing_code": "a mail uses no cross references",
    "limits": "SMTP has no limits to be counted: those in the manifest are our own manners",
    "broken": "each SMTP reply is definite: 5xx after the dot refuses, so nothing is left open",
    "stable_key": "SMTP has no key and no look-up (manifest, [writes.mail] window): tried in tests/connectors/smtp",
    "version": "SMTP states no version in a conversation",
}
TWICE = "with on_doubt = repeat a mail whose answer was lost comes twice: that is its price"
ONCE = "with on_doubt = skip a mail that may have been sent counts as sent: that is its price"


def mail(on_doubt: str, **exempt: str) -> Contract:
    return Contract(
        settings={"sender": "orders@shop.example", "shop_name": "Example Shop", "on_doubt": on_doubt},
        prepare=prepare,
        seen=seen,
        settles=0.05,
        exempt={**ALWAYS, **exempt},
    )


CONTRACTS = {
    "skip": mail("skip", not_done=ONCE, committed_late=ONCE),
    "repeat": mail("repeat", lost_answer=TWICE, late_answer=TWICE, late_index=TWICE, unreadable_answer=TWICE),
}
