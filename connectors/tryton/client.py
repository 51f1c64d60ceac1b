"""Tryton's JSON-RPC in Tryton's words: read, create, write, press a button of a workflow."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble
from connectors.tryton.refusals import refusal
from connectors.tryton.wire import dressed, undressed

Row = Mapping[str, Any]
Domain = Sequence[Any]
OLD = 12 * 3600.0  # seconds until we log in anew; Tryton itself keeps a session for 30 days ([session] max_age)
TRIES = 2  # a session that Tryton does not know any more is renewed once


class Client:
    """Calls of one account: POST /<database>/rpc/ with {"id", "method", "params"}."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._path = f"/{connection.account.settings['database']}/rpc/"

    def rows(
        self,
        model: str,
        domain: Domain,
        *fields: str,
        context: Row | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Row]:
        """Records in the order of their ids; a field "product.code" comes as {"product.": {"code": ...}}."""
        order = [["id", "ASC"]]
        found = self._ask(
            f"model.{model}.search_read", list(domain), offset, limit, order, list(fields), context=context
        )
        return list(found)

    def first(self, model: str, domain: Domain, *fields: str) -> Row | None:
        """The oldest record of a domain, None when there is none."""
        return next(iter(self.rows(model, domain, *fields, limit=1)), None)

    def create(self, model: str, *values: Row) -> list[int]:
        made = self._ask(f"model.{model}.create", list(values), write=True)
        return [int(number) for number in made]

    def write(self, model: str, ids: Sequence[int], values: Row) -> None:
        self._ask(f"model.{model}.write", list(ids), values, write=True)

    def write_each(self, model: str, *pairs: tuple[int, Row]) -> None:
        """Several records, each its own values, in one transaction."""
        words = [word for number, values in pairs for word in ([number], values)]
        self._ask(f"model.{model}.write", *words, write=True)

    def press(self, model: str, button: str, ids: Sequence[int]) -> None:
        """A button of the record's workflow (quote, confirm, pick ...)."""
        self._ask(f"model.{model}.{button}", list(ids), write=True)

    def _ask(self, method: str, *parameters: Any, write: bool = False, context: Row | None = None) -> Any:
        """The result. Every call carries the company as context; a refused session is renewed once."""
        for _ in range(TRIES):
            token = self._connection.tokens.get("session", self._log_in)
            session, company = token.rsplit(":", 1)
            words = [
                *parameters,
                {"company": int(company), "companies": [int(company)], "language": "en", **(context or {})},
            ]
            proof = base64.b64encode(f"{self._user()}:{session}".encode()).decode()
            answer = self._call(method, words, write=write, headers={"authorization": f"Session {proof}"})
            if answer.status != 401:
                return self._result(answer)
            self._connection.tokens.refused("session", token)
        raise Unauthorized("Tryton refuses a session that it has just given.")

    def company(self) -> int:
        """The one that the user works for."""
        return int(self._connection.tokens.get("session", self._log_in).rpartition(":")[2])

    def _log_in(self) -> tuple[str, float]:
        """ "<user id>:<session>:<company>", in one string because they go out of date together."""
        account = self._connection.account
        words = [self._user(), {"password": account.credentials["password"]}]
        answer = self._call("common.db.login", words, secret=True)
        if answer.status == 401:
            raise Unauthorized("Tryton refuses the user or the password.")
        user, session, *_ = self._result(answer)
        proof = base64.b64encode(f"{self._user()}:{user}:{session}".encode()).decode()
        asked = self._call("model.res.user.get_preferences", [True, {}], headers={"authorization": f"Session {proof}"})
        company = self._result(asked).get("company")
        if company is None:
            raise Rejected("The user works for no company in Tryton.", code="no_company", remedy="Give it one there.")
        return f"{user}:{session}:{company}", OLD

    def _user(self) -> str:
        return self._connection.account.credentials["user"]

    def _call(
        self,
        method: str,
        words: Sequence[Any],
        *,
        write: bool = False,
        secret: bool = False,
        headers: Row | None = None,
    ) -> Answer:
        body = {"id": 1, "method": method, "params": dressed(list(words))}
        operation = method.removeprefix("model.")
        http = self._connection.http
        return http.call(
            "POST", self._path, operation=operation, write=write, json=body, headers=headers, secret=secret
        )

    def _result(self, answer: Answer) -> Any:
        if answer.status == 429:
            wait = retry_after(answer.headers)
            self._connection.http.limits.block(self._connection.account.name, wait or 1.0)
            raise Throttled("Tryton wants fewer logins.", retry_after=wait)
        found = trouble(answer)
        if found is not None:
            raise found
        said = answer.json()
        if isinstance(said, dict) and "error" in said:
            raise refusal(said["error"])
        if not isinstance(said, dict) or "result" not in said:
            raise (Ambiguous if answer.write else Transient)("Tryton's answer has no result.", code="unreadable_answer")
        return undressed(said["result"])
