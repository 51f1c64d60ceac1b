"""The door to Amazon: tokens, one more try with a fresh one, quotas heeded, refusals raised, documents only where Amazon stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connectors.amazon.auth import RESTRICTED, SELLER, access_token, restricted
from connectors.amazon.refusals import sorted_out
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected, Unauthorized
from connectors.kit.http import Answer

Row = Mapping[str, Any]
V0 = "/orders/v0/orders"
AGENT = "Waybill/1.0 (Language=Python)"
STORES = (".amazonaws.com", ".cloudfront.net")  # where feed documents lie


class Door:
    """Calls of one seller's account. Raises what refusals.sorted_out makes of an answer, and the kit's errors for lost ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _call(
        self, method: str, path: str, operation: str, *, token: str = SELLER, absent: Sequence[int] = (), **rest: Any
    ) -> Answer:
        """One call; with a token that was refused once more, with a fresh one: nothing was done."""
        answer, used = self._sent(method, path, operation, token, rest)
        if answer.status in (401, 403):
            self._connection.tokens.refused(token, used)
            answer, _ = self._sent(method, path, operation, token, rest)
        self._heed(operation, answer)
        found = None if answer.status in absent else sorted_out(answer)
        if found is not None:
            raise found
        return answer

    def _sent(self, method: str, path: str, operation: str, token: str, rest: Row) -> tuple[Answer, str]:
        used = self._restricted() if token == RESTRICTED else self._token(token)
        return self._asked(method, path, operation, used, rest), used

    def _asked(self, method: str, path: str, operation: str, token: str, rest: Row) -> Answer:
        headers = {"x-amz-access-token": token, "user-agent": AGENT}
        return self._connection.http.call(method, path, operation=operation, headers=headers, **rest)

    def _token(self, name: str) -> str:
        http, account = self._connection.http, self._connection.account
        return self._connection.tokens.get(name, lambda: access_token(http, account, name))

    def _restricted(self) -> str:
        """A restricted token is bought with the seller's, which is had before: no refresh waits for another."""
        tokens, seller = self._connection.tokens, self._token(SELLER)
        try:
            return tokens.get(RESTRICTED, lambda: self._bought(seller))
        except Unauthorized:
            tokens.refused(SELLER, seller)
        fresh = self._token(SELLER)
        return tokens.get(RESTRICTED, lambda: self._bought(fresh))

    def _bought(self, seller: str) -> tuple[str, float]:
        """One token for buyer and address of any order of v0, and for its items."""
        order = {"method": "GET", "path": f"{V0}/{{orderId}}", "dataElements": ["buyerInfo", "shippingAddress"]}
        items = {"method": "GET", "path": f"{V0}/{{orderId}}/orderItems", "dataElements": ["buyerInfo"]}
        path, body = "/tokens/2021-03-01/restrictedDataToken", {"restrictedResources": [order, items]}
        answer = self._asked("POST", path, "tokens.restricted", seller, {"json": body, "secret": True})
        self._heed("tokens.restricted", answer)
        found = sorted_out(answer)
        if found is not None:
            raise found
        return restricted(answer.json())

    def _heed(self, operation: str, answer: Answer) -> None:
        """The rate that Amazon grants this seller."""
        said = answer.headers.get("x-amzn-ratelimit-limit", "")
        with suppress(ValueError):
            self._connection.http.limits.told(self._connection.account.name, operation, float(said))

    def _stored(self, method: str, url: str, operation: str, **rest: Any) -> Answer:
        """A document at the presigned address that Amazon names: only where Amazon stores such."""
        account = self._connection.account
        own = (urlsplit(account.base_url).netloc, *account.settings.get("document_hosts", ()))
        at = urlsplit(url)
        ours = at.netloc in own
        if not ours and (at.scheme != "https" or not (at.hostname or "").endswith(STORES)):
            raise Rejected(
                f"A feed's document is said to lie at {at.netloc}.", code="foreign_host", owner="integration desk"
            )
        door = replace(self._connection.http, hosts=(*self._connection.http.hosts, f"{at.scheme}://{at.netloc}"))
        return door.call(method, url, operation=operation, **rest)
