"""How the simulated Acme says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """Acme says no: {"error": {"code", "message", "field"}}."""

    def __init__(self, status: int, code: str, message: str, field: str = "", headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        self.body = {"error": {"code": code, "message": message, **({"field": field} if field else {})}}
