"""What a channel shows of our articles (quantities, prices): named there, looked at, set where it differs, each with its own verdict."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from connectors.kit.errors import Missing
from connectors.kit.writes import BatchItem, BatchWrite, ExternalId

T = TypeVar("T")
Name = TypeVar("Name")
Shown = TypeVar("Shown")


class Value(Protocol):
    """One value to be shown. `there`: it is shown already, and needs no call."""

    @property
    def id(self) -> ExternalId: ...

    @property
    def there(self) -> bool: ...


V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Board(Generic[T, Name, Shown, V]):
    """Values of one kind, told under the write `write`.

    `name` is what they call a document's article and place (raises Missing); `look` what they show of all that have a name; `want` the
    value that an item asks for, or why it cannot be told; `put` sets values, none twice, and answers the refusal of each or None.
    `seen` looks a single value up, where what is shown does not say so. Values of one `slot` cannot stand side by side: the last holds.
    """

    write: str
    name: Callable[[T], Name]
    look: Callable[[Sequence[Name]], Shown]
    want: Callable[[BatchItem[T], Name, Shown], V | Exception]
    put: Callable[[Sequence[V]], Sequence[Exception | None]]
    seen: Callable[[V], bool] = attrgetter("there")
    slot: Callable[[V], Hashable] = attrgetter("id")

    def batch(self) -> BatchWrite[T]:
        return BatchWrite(self.write, send=self._publish, find=self._find)

    def _publish(self, items: Sequence[BatchItem[T]]) -> Sequence[ExternalId | Exception]:
        """Raises what is no verdict (busy, no answer): all is tried again."""
        wanted = self._wanted(items)
        last = {self.slot(one): one for one in wanted if not isinstance(one, Exception)}
        due = [one for one in last.values() if not one.there]
        verdicts = self.put(due) if due else ()
        bad = {self.slot(one): no for one, no in zip(due, verdicts, strict=True) if no is not None}
        return [one if isinstance(one, Exception) else bad.get(self.slot(one), one.id) for one in wanted]

    def _find(self, item: BatchItem[T]) -> ExternalId | None:
        (one,) = self._wanted([item])
        return one.id if not isinstance(one, Exception) and self.seen(one) else None

    def _wanted(self, items: Sequence[BatchItem[T]]) -> list[V | Exception]:
        named = [self._named(item.document) for item in items]
        shown = self.look([one for one in named if not isinstance(one, Missing)])
        return [
            one if isinstance(one, Missing) else self.want(item, one, shown)
            for item, one in zip(items, named, strict=True)
        ]

    def _named(self, document: T) -> Name | Missing:
        try:
            return self.name(document)
        except Missing as missing:
            return missing


def nothing(names: Sequence[Any]) -> None:
    """The `look` of a channel that shows one value at a time."""
    return
