"""Reports: what is said about a price file, beside it on the server and in the admin."""

from __future__ import annotations

import csv
import io

from sqlalchemy import Connection, text

from app.catalogue.price_checks import KEPT_FROM
from app.catalogue.price_runs import Run, one

REPORT = text(
    "SELECT n, state, code, reason, sku FROM price_lines WHERE run_id = :run AND (state <> 'accepted') ORDER BY n"
)


def report(tx: Connection, run: int) -> bytes:
    """What is said about a file: one line on the whole, then each that was refused, or kept from the run before, with the reason."""
    row = one(tx, run)
    if row is None:
        raise LookupError(f"there is no price run {run}")
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(("line", "verdict", "code", "sku", "reason"))
    table.writerow(("", VERDICTS.get(row.state, "checked"), "", "", _summary(row)))
    for said in tx.execute(REPORT, {"run": run}):
        number = said.n if said.n < KEPT_FROM else ""
        table.writerow((number, said.state, said.code, _harmless(said.sku), _harmless(said.reason)))
    return out.getvalue().encode()


VERDICTS = {"unreadable": "unreadable", "duplicate": "duplicate"}


def _summary(row: Run) -> str:
    if row.state in VERDICTS:
        return _harmless(row.why)
    counts = ", ".join(
        f"{row.counts.get(name, 0)} {name}" for name in ("lines", "accepted", "refused", "kept", "new", "gone")
    )
    return f"{counts}, against {row.before.get('lines', 0)} lines before" if row.before else counts


def _harmless(word: str) -> str:
    """A cell that a spreadsheet would reckon is text."""
    return f"'{word}" if word[:1] in ("=", "+", "-", "@", "\t") else word
