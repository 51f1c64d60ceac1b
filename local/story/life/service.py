"""Customer service: somebody at the admin who fills in the forms of an order's page."""

from __future__ import annotations

import re
from secrets import token_urlsafe

import requests

from app.database import transaction
from app.web import people

LOGIN, ROLE = "customer-service", "support"
HIDDEN = r'name="{}"[^>]*value="([^"]+)"'


class Service:
    """Logged in with a password of this run."""

    def __init__(self, web: str) -> None:
        self._admin, self._session = f"{web}/admin", requests.Session()
        self._password = token_urlsafe(16)
        with transaction() as tx:
            people.keep(tx, LOGIN, self._password, ROLE)

    def allows(self, waybill: str, line: str, why: str) -> None:
        """A return of one piece; nothing where the page offers none, as nothing has left."""
        page = f"/orders/{waybill}"
        told = self._get(page)
        if f"/returns/of/{waybill}" in told:
            form = {"key": _hidden(told, "key"), f"pieces:{line}": "1", "reason": why, "back": f"/admin{page}"}
            self._post(f"/returns/of/{waybill}", told, form)

    def _get(self, path: str) -> str:
        """The page, behind the door."""
        answer = self._session.get(f"{self._admin}{path}", timeout=30)
        if "/login" in answer.url:
            self._post("/login", answer.text, {"login": LOGIN, "password": self._password})
            answer = self._session.get(f"{self._admin}{path}", timeout=30)
        answer.raise_for_status()
        return answer.text

    def _post(self, path: str, page: str, form: dict[str, str]) -> None:
        told = {**form, "csrf_token": _hidden(page, "csrf_token")}
        self._session.post(f"{self._admin}{path}", data=told, timeout=30).raise_for_status()


def _hidden(page: str, name: str) -> str:
    """Raises RuntimeError where the page has no such field."""
    found = re.search(HIDDEN.format(name), page)
    if found is None:
        raise RuntimeError(f"the page has no field {name}")
    return found[1]
