"""An answer of Square's that is an error."""

from __future__ import annotations


class Refused(Exception):
    """Status, category, code, detail and field."""

    def __init__(
        self, status: int, code: str, detail: str, field: str = "", category: str = "INVALID_REQUEST_ERROR"
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field, self.category = status, code, detail, field, category
