"""docs/failure-lab.md: tables between their marks, row by row from results and from the page itself; the words around them are people's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.page import put

Result = Mapping[str, Any]
Row = dict[str, str]
SUMMED = ("orders", "events", "kills", "lost", "doubled", "windows")
SCENARIO = ("scenario", "ended", *SUMMED, "seconds", "at", "commit", "also")
MUTANT = ("without", "what is gone", "caught by", "as", "the first thing it said", "at", "commit")
SURVIVED = "SURVIVED"


@dataclass
class Page:
    """What the page says: rows by name of scenario, rows by name of mutant, and for each scenario its lines about windows."""

    scenarios: dict[str, Row] = field(default_factory=dict)
    mutants: dict[str, Row] = field(default_factory=dict)
    windows: dict[str, list[str]] = field(default_factory=dict)

    def take(self, one: Result) -> None:
        """A result takes the place of the row that is there, unless it is the older one."""
        name = str(one["name"])
        short = name.removeprefix("mutants/")
        rows, made = (self.scenarios, _scenario(one)) if name == short else (self.mutants, _mutant(one))
        if made["at"] < rows.get(short, made)["at"]:
            return
        rows[short] = made
        if name == short:
            self.windows[name] = list(one.get("windows", ()))

    def names(self) -> set[str]:
        return {*self.scenarios, *(f"mutants/{name}" for name in self.mutants)}

    def summary(self, wanted: Sequence[str]) -> dict[str, Any]:
        """`events` acknowledged, `kills`, `lost`, `doubled`, `windows` and `seconds` over all rows; `mutants` run and `survivors` among them."""
        rows = self.scenarios.values()
        surviving = [name for name, row in self.mutants.items() if row["as"] == SURVIVED]
        return {
            **{name: sum(int(row[name] or 0) for row in rows) for name in SUMMED},
            "mutants": len(self.mutants),
            "survivors": len(surviving),
            "surviving": surviving,
            "failed": [row["scenario"] for row in rows if row["ended"] == "NOT WHOLE"],
            "skipped": [row["scenario"] for row in rows if row["ended"] == "SKIPPED"],
            "scenarios": len(self.scenarios),
            "missing": len(set(wanted) - self.names()),
            "seconds": round(sum(float(row["seconds"] or 0) for row in rows)),
        }

    def write(self, file: Path, wanted: Sequence[str], machines: Iterable[str] = ()) -> None:
        """Between the marks, in the order of `wanted`; rows of what is no more are left out."""
        self.scenarios = {name: self.scenarios[name] for name in wanted if name in self.scenarios}
        short = [name.removeprefix("mutants/") for name in wanted if name.startswith("mutants/")]
        self.mutants = {name: self.mutants[name] for name in short if name in self.mutants}
        put("lab figures", self._said(wanted, machines or _machines(file)), file)
        put("lab scenarios", _table(SCENARIO, self.scenarios.values()), file)
        named = [f"- {name}: {one}" for name in self.scenarios for one in self.windows.get(name, ())]
        put("lab windows", "\n".join(named), file)
        put("lab mutants", _table(MUTANT, self.mutants.values()), file)

    def _said(self, wanted: Sequence[str], machines: Iterable[str]) -> str:
        told = self.summary(wanted)
        days = sorted(row["at"][:10] for row in (*self.scenarios.values(), *self.mutants.values()))
        when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "never"
        counted = f"{told['orders']} orders, {told['events']} acknowledged events, {told['kills']} kills"
        ended = (
            f"**{told['lost']} lost, {told['doubled']} doubled**, {told['windows']} within windows and reported apart"
        )
        judged = f"{told['mutants']} mutants, **{told['survivors']} survivors**"
        where = f"{' and '.join(sorted(set(machines)))}; {when}; {told['scenarios']} scenarios of {told['seconds'] / 60:.0f} minutes"
        said = f"{where}: {counted}, {ended}; {judged}."
        owed = ", ".join(name for name in wanted if name not in self.names())
        skipped = ", ".join(told["skipped"])
        return "\n\n".join(
            [
                said,
                *([f"**Skipped, and so neither whole nor failed: {skipped}.**"] if skipped else []),
                *([f"**Not run to the end yet: {owed}.**"] if owed else []),
            ]
        )


def read(file: Path) -> Page:
    """What stands between the marks."""
    made = Page()
    made.scenarios = {row["scenario"]: row for row in _rows(SCENARIO, _between("lab scenarios", file))}
    made.mutants = {row["without"]: row for row in _rows(MUTANT, _between("lab mutants", file))}
    for line in _between("lab windows", file).splitlines():
        name, _, sentence = line.removeprefix("- ").partition(": ")
        if name in made.scenarios:
            made.windows.setdefault(name, []).append(sentence)
    return made


def _between(mark: str, file: Path) -> str:
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", file.read_text(), re.DOTALL)
    if found is None:
        raise ValueError(f"{file} has no mark <!-- {mark} -->")
    return found[1]


def _machines(file: Path) -> list[str]:
    return _between("lab figures", file).partition(";")[0].split(" and ")


def _rows(columns: Sequence[str], text: str) -> Iterable[Row]:
    for line in text.splitlines()[2:]:
        yield dict(zip(columns, (cell.strip() for cell in line.strip("|").split(" | ")), strict=True))


def _table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Cells hold no bar of their own."""
    lines = [columns, ["---"] * len(columns), *([row[name] for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _scenario(one: Result) -> Row:
    ended = "whole" if one["passed"] else "SKIPPED" if one.get("skipped") else "NOT WHOLE"
    counted = {**{name: str(one.get(name, "")) for name in SUMMED}, "windows": str(one.get("windows_found", ""))}
    return {
        "scenario": one["name"],
        "ended": ended,
        **counted,
        "seconds": str(one["seconds"]),
        **_run(one),
        "also": _more(one),
    }


def _run(one: Result) -> Row:
    return {"at": str(one["at"])[:16].replace("T", " "), "commit": str(one.get("commit", ""))}


def _more(one: Result) -> str:
    told = {
        "skipped": one.get("skipped"),
        "scale": one.get("scale"),
        **{name: one.get(name, 0) for name in ("parked", "dead", "quarantined", "forgeries")},
        **one.get("figures", {}),
    }
    return _flat(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value))


def _mutant(one: Result) -> Row:
    caught = ", ".join(one.get("caught_as", ())) or SURVIVED
    told = (one["name"].partition("/")[2], one.get("safeguard", ""), one.get("scenario", ""), caught, _first(one))
    return {**dict(zip(MUTANT, told, strict=False)), **_run(one)}


def _first(one: Result) -> str:
    kinds = tuple(one.get("caught_as", ()))
    said = (said for said in one.get("findings", ()) if said.startswith(kinds))
    return _flat(next(said, str(one.get("error", ""))[-200:]))


def _flat(words: str) -> str:
    return words.replace("|", "/").replace("\n", " ")
