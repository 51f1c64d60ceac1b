"""A place in a payload: its value with the path by which a fault is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self, TypeVar

from connectors.kit import regions
from connectors.kit.errors import Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a payload. Readers answer their default where the value is absent or null, and raise Unreadable
    naming the path where it is of the wrong kind."""

    value: Any
    path: str = ""

    def at(self, name: str) -> Self:
        """The place of a member; null where there is none."""
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return type(self)(found, f"{self.path}.{name}" if self.path else name)

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def items(self) -> tuple[Self, ...]:
        """The members of a list; none where it is absent."""
        if self.value is None:
            return ()
        if not isinstance(self.value, list):
            raise self.fault("should be a list")
        return tuple(type(self)(item, f"{self.path}[{n}]") for n, item in enumerate(self.value))

    def needed(self) -> Self:
        """This place, which must hold something."""
        if self.value is None or self.value == "":
            raise self.fault("is missing")
        return self

    def text(self, default: str = "") -> str:
        if self.value is None:
            return default
        if isinstance(self.value, str):
            return self.value.strip()
        if isinstance(self.value, int | Decimal) and not isinstance(self.value, bool):
            return str(self.value)
        raise self.fault("should be text")

    def id(self) -> str:
        """An identifier as text."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | None):
            raise self.fault("should be an identifier")
        return self.text()

    def number(self, default: Decimal | None = None) -> Decimal:
        """A quantity or rate. Raises Unreadable where it is missing and has no default."""
        if self.value is None and default is not None:
            return default
        try:
            if isinstance(self.needed().value, bool):
                raise self.fault("should be a number")
            found = Decimal(str(self.value).strip())
        except InvalidOperation:
            raise self.fault("should be a number") from None
        if not found.is_finite():
            raise self.fault("should be a number")
        return found

    def flag(self, default: bool = False) -> bool:
        if self.value is None:
            return default
        if not isinstance(self.value, bool):
            raise self.fault("should be true or false")
        return self.value

    def time(self) -> datetime | None:
        """An instant in UTC; None where absent. A time without its offset is Unreadable: it names no instant."""
        if self.value is None or self.value == "":
            return None
        try:
            found = datetime.fromisoformat(self.text())
        except ValueError:
            raise self.fault("should be a time (ISO 8601)") from None
        if found.tzinfo is None:
            raise self.fault("should be a time with its offset")
        return found.astimezone(UTC)

    def instant(self) -> datetime:
        found = self.time()
        if found is None:
            raise self.fault("is missing")
        return found

    def one_of(self, table: dict[str, T]) -> T:
        """The table's entry for this word. Raises Unreadable for a word that the table does not know."""
        word = self.text().lower()
        if word not in table:
            raise self.fault(f"is {word!r}, which this connector does not know")
        return table[word]

    def currency(self) -> str:
        """A currency by ISO 4217 (three letters). Raises Unreadable where there is none or no such."""
        return self._code(self.needed().text().upper(), 3, "a currency (ISO 4217)")

    def country(self) -> str:
        """A country by ISO 3166-1 alpha-2, told by its code (two or three letters) or name; empty where there is none. One that
        nobody knows is answered as it was told: an order is held for its address, and not lost for it."""
        told = self.text()
        return regions.country(told) or told.upper()

    def _code(self, code: str, length: int, what: str) -> str:
        if len(code) != length or not code.isascii() or not code.isalpha():
            raise self.fault(f"is {code!r}, not {what}")
        return code

    def fault(self, what: str) -> Unreadable:
        name = self.path or "the body"
        return Unreadable(f"The payload's {name} {what}.", field=self.path)
