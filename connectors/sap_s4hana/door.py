"""One call to an S/4HANA system: who calls, the session that a write needs, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import hold_off
from connectors.sap_s4hana import errors, session
from connectors.sap_s4hana.auth import Login

V2, V4 = "/sap/opu/odata/sap", "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001"
ORDERS = "API_SALES_ORDER_SRV"
PAUSE = 5.0  # seconds that nobody calls after a 429 that names none


def speaks_v4(settings: Mapping[str, Any]) -> bool:
    """Whether the account's sales orders are kept by CE_SALESORDER_0001."""
    return settings.get("sales_order_api") == "v4"


class Door:
    """Every method raises the kit's errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._login = Login(connection)
        settings = connection.account.settings
        self._client = str(settings.get("client", ""))
        # where the session is fetched: at the sales order service that the account has an arrangement for
        self._root = f"{V4}/" if speaks_v4(settings) else f"{V2}/{ORDERS}/"

    def call(
        self,
        method: str,
        address: str,
        operation: str,
        *,
        write: bool = False,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """One call. Nothing is done of what is answered 401: it is repeated once, where another token may be had."""
        more["query"] = {**(query or {}), **({"sap-client": self._client} if self._client else {})}
        act = self._write if write else self._connection.http.call
        login = self._login.header()
        answer = act(method, address, operation=operation, headers={**login, **(headers or {})}, **more)
        if answer.status == 401 and self._login.refused(login):
            login = self._login.header()
            answer = act(method, address, operation=operation, headers={**login, **(headers or {})}, **more)
        return answer

    def _write(self, method: str, address: str, *, headers: Mapping[str, str], **more: Any) -> Answer:
        """Under the shared session, which is fetched anew once where SAP refuses its token. No token is asked for while
        another is: the store lets one worker at a time.
        """
        connection, login = self._connection, {"authorization": headers["authorization"]}
        for _ in range(2):
            try:
                pair = connection.tokens.get(session.NAME, lambda: session.fetch(connection, self._root, login))
            except Unauthorized:
                return Answer(401, {}, b"", write=True)
            held = {**headers, **session.headers(pair)}
            answer = connection.http.call(method, address, headers=held, write=True, **more)
            if not session.expired(answer):
                return answer
            connection.tokens.refused(session.NAME, pair)
        raise Transient("SAP refuses its own CSRF token: its sessions do not last.", code="csrf")

    def checked(self, answer: Answer, what: str) -> Answer:
        """The answer about a `what` ("sales order"), or its trouble raised."""
        found = errors.sorted_trouble(answer, what)
        if found is not None:
            hold_off(self._connection, answer, PAUSE)
            raise found
        if answer.status >= 300:
            raise Rejected(
                f"SAP answered HTTP {answer.status}, which is no answer to this.", code=f"http_{answer.status}"
            )
        return answer


def done(answer: Answer) -> None:
    """A change answers 204; a page of somebody else's says nothing of what was done."""
    if answer.status != 204:
        raise unreadable(answer.write)


def unreadable(write: bool) -> Ambiguous | Transient:
    return (Ambiguous if write else Transient)(
        "SAP's answer is not the record that was asked for.", code="unreadable_answer"
    )
