"""An oracle that knows no quantities: every piece is followed by itself, and what the machine counts is counted off the pieces."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Piece:
    """One piece of a line. `where`: shelf (claimed), let_go, gone, back, apart."""

    where: str = "shelf"
    picked: bool = False


@dataclass
class Line:
    pieces: list[Piece] = field(default_factory=list)
    credits: int = 0
    invoices: int = 0

    def at(self, *places: str) -> list[Piece]:
        return [piece for piece in self.pieces if piece.where in places]

    # ---- what happens

    def cancel(self, many: int) -> None:
        """The pieces that nobody has picked go first."""
        for piece in sorted(self.at("shelf"), key=lambda p: p.picked)[:many]:
            piece.where, piece.picked = "let_go", False
        self._credit()

    def edit(self, wanted: int) -> None:
        active = [p for p in self.pieces if p.where != "let_go"]
        if wanted >= len(active):
            self.pieces += [Piece() for _ in range(wanted - len(active))]
            return
        if wanted >= sum(1 for p in active if p.picked):
            self.cancel(len(active) - wanted)

    def pick(self, many: int) -> None:
        for piece in [p for p in self.at("shelf") if not p.picked][:many]:
            piece.picked = True

    def ship(self, many: int) -> None:
        """Picked ones first, then what lies there, then what had been let go."""
        ready = sorted(self.at("shelf"), key=lambda p: not p.picked) + self.at("let_go")
        for piece in ready[:many]:
            piece.where, piece.picked = "gone", True

    def receive(self, many: int, restock: bool) -> None:
        came = self.at("gone")[:many]
        for piece in came:
            piece.where = "back" if restock else "apart"
        kept = self.at("gone")
        bills = ["kept"] * min(len(kept), self.invoices - self.credits)
        beyond = self.invoices - self.credits - len(bills)  # billed for nothing that the customer keeps
        self.credits += min(beyond, len(came))
        self._credit()

    def invoice(self, many: int) -> None:
        self.invoices += many
        self._credit()

    def _credit(self) -> None:
        """A bill for which nobody has a piece, or gets one, is credited."""
        owing = len(self.at("shelf", "gone"))
        self.credits = max(self.credits, self.invoices - owing)

    # ---- what is to be seen

    def counts(self) -> dict[str, int]:
        return {
            "ordered": len(self.pieces),
            "cancelled": len(self.at("let_go")),
            "shipped": len(self.at("gone", "back", "apart")),
            "received": len(self.at("back", "apart")),
            "restocked": len(self.at("back")),
            "picked": sum(1 for piece in self.pieces if piece.picked),
            "invoiced": self.invoices,
            "credited": self.credits,
        }


@dataclass
class Oracle:
    """`on_hand` and open claims are counted off the pieces; nothing is ever added to or taken from a sum."""

    lines: dict[str, Line]
    stock: int
    captured: dict[str, int] = field(default_factory=dict)
    refunds: list[tuple[str, int]] = field(default_factory=list)

    def refund(self, tender: str, amount: int) -> bool:
        given = sum(sum_ for name, sum_ in self.refunds if name == tender)
        if given + amount > self.captured[tender]:
            return False
        self.refunds.append((tender, amount))
        return True

    @property
    def to_sell(self) -> int:
        """ATS = on hand - open claims, of this order's pieces and the rest of the shelf."""
        gone = sum(len(line.at("gone", "apart")) for line in self.lines.values())
        claims = sum(len(line.at("shelf")) for line in self.lines.values())
        return self.stock - gone - claims
