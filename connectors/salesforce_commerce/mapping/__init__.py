"""What Commerce Cloud tells, by its operation: an order as listed or fetched is the same document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simplejson

from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place
from connectors.kit.versions import version
from connectors.salesforce_commerce.mapping.order import order

Readings = tuple[Reading, ...]
ORDER = "orders/order"
# Not placed yet, and given up before it was: GET /orders lists neither, but one may be asked for by number.
UNPLACED = {"created": "The order is not placed yet.", "failed": "The order failed before it was placed."}


def read(account: Account, message: Message) -> Readings:
    """The readings of one message, by poll or fetch. Pure. Raises Unreadable naming the field."""
    reader = TOPICS.get(message.topic)
    if reader is None:
        return (Ignored(f"Nothing here uses {message.topic}."),)
    return reader(account, Place(_body(message.body)))


def _body(body: bytes) -> Any:
    try:
        found = simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is not JSON.", field="") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object.", field="")
    return found


def _order(account: Account, node: Place) -> Readings:
    why = UNPLACED.get(node.at("status").needed().text().lower())
    if why:
        return (Ignored(why),)
    document = order(node, account)
    return (Snapshot("order", document.id, version(document.updated_at), document),)


TOPICS: dict[str, Callable[[Account, Place], Readings]] = {ORDER: _order}
