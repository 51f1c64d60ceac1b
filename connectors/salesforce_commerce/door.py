"""The one way to Commerce Cloud's doors: a shared token for each, refused ones bought anew once, its load heeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Throttled, Transient
from connectors.kit.http import Answer
from connectors.salesforce_commerce.auth import INSTANCE, access_token
from connectors.salesforce_commerce.refusals import ease, sorted_out


@dataclass(frozen=True)
class Door:
    """SCAPI or the instance (OCAPI and WebDAV); they have tokens and hosts of their own."""

    connection: Connection
    name: str

    def call(self, method: str, path: str, operation: str, *, absent: Sequence[int] = (), **more: Any) -> Answer:
        """One call. `absent` statuses are answers too. Raises what refusals.sorted_out makes of the others."""
        answer, token = self._once(method, path, operation, more)
        if answer.status == 401:
            self.connection.tokens.refused(self.name, token)
            answer = self._once(method, path, operation, more)[0]
        found = None if answer.status in absent else sorted_out(answer)
        wait = found.retry_after if isinstance(found, Throttled) else ease(answer.headers)
        if wait:
            self.connection.http.limits.block(self.connection.account.name, wait)
        if found is not None:
            raise found
        return answer

    def _once(self, method: str, path: str, operation: str, more: dict[str, Any]) -> tuple[Answer, str]:
        connection = self.connection
        http = replace(connection.http, hosts=(*connection.http.hosts, self.host))
        token = connection.tokens.get(self.name, lambda: access_token(connection.http, connection.account, self.name))
        headers = {"authorization": f"Bearer {token}", **more.get("headers", {})}
        if connection.http.correlation:
            headers["correlation-id"] = connection.http.correlation
        url = f"{self.host}/{path}"
        return http.call(method, url, operation=operation, **{**more, "headers": headers}), token

    @property
    def host(self) -> str:
        """Where the instance answers is a setting: its address cannot be made from SCAPI's."""
        account = self.connection.account
        own = str(account.settings.get("instance_url", "")) if self.name == INSTANCE else ""
        return (own or account.base_url).rstrip("/")


def done(answer: Answer, *statuses: int) -> Answer:
    """The answer of a write that tells nothing but its status. Any other is somebody else's page: its effect is unknown."""
    if answer.status in statuses:
        return answer
    words = f"Commerce Cloud's answer (HTTP {answer.status}) is not the one that was to come."
    raise (Ambiguous if answer.write else Transient)(words, code="unreadable_answer")
