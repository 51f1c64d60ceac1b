"""What the lab found: figures for a machine, and a page for people."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

Result = Mapping[str, Any]
SHOWN = ("orders", "events", "kills", "lost", "doubled", "seconds")


def summary(results: Iterable[Result], wanted: int) -> dict[str, Any]:
    """`events` acknowledged, `kills`, `lost`, `doubled` over all scenarios; `mutants` run and `survivors` among them."""
    results = list(results)
    plain, mutants = _plain(results), _mutants(results)
    sums = {
        name: sum(int(one.get(name, 0)) for one in plain) for name in ("orders", "events", "kills", "lost", "doubled")
    }
    surviving = [one["name"] for one in mutants if not one["passed"]]
    return {
        **sums,
        "mutants": len(mutants),
        "survivors": len(surviving),
        "surviving": surviving,
        "failed": [one["name"] for one in plain if not one["passed"]],
        "scenarios": len(plain),
        "missing": wanted - len(results),
        "seconds": round(sum(float(one["seconds"]) for one in results)),
    }


def _plain(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if not one["name"].startswith("mutants/")]


def _mutants(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if one["name"].startswith("mutants/")]


def page(results: Iterable[Result]) -> str:
    """docs/failure-lab.md."""
    results = list(results)
    return "\n".join(
        [
            HEAD,
            _said(results),
            "",
            *_scenarios(_plain(results)),
            *_windows(_plain(results)),
            *_table(_mutants(results)),
            TAIL,
        ]
    )


HEAD = """# The failure lab, with its last figures

Written by `make lab-failure` (labs/failure/README.md says how a scenario is made). The hub runs as its Procfile says, `-E` included (Flower beside
it where a scenario wants it), on PostgreSQL with fsync and synchronous_commit on and on Valkey, both its own for each scenario. Leases, backoffs
and polls are short (a lease of 8 s, backoffs of 2 s at most: `labs/failure/policy.py`, read by WAYBILL_CONFIG), so that hours of bad weather pass
in seconds. The judge believes only outsiders: the senders' log with the acknowledgements they got, the shop's own list, and every system's own
records and calls.
"""
TAIL = """
`lost` and `doubled` are counted by business identity at the systems themselves. What stands visibly quarantined, parked or dead is not lost; a lab
that found too few successes would have failed.
"""


def _said(results: list[Result]) -> str:
    told = summary(results, len(results))
    machines = sorted({str(one.get("machine", "")).partition(", load")[0] for one in results})
    days = sorted({str(one["at"])[:10] for one in results})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else time.strftime("%Y-%m-%d")
    counted = f"{told['orders']} orders, {told['events']} acknowledged events, {told['kills']} kills"
    ended = f"**{told['lost']} lost, {told['doubled']} doubled**; {told['mutants']} mutants, **{told['survivors']} survivors**"
    return f"{' and '.join(machines)}; {when}; {told['seconds'] / 60:.0f} minutes in all: {counted}, {ended}."


def _scenarios(results: list[Result]) -> list[str]:
    rows = [
        f"| {one['name']} | {'whole' if one['passed'] else 'NOT WHOLE'} | "
        + " | ".join(str(one.get(name, "")) for name in SHOWN)
        + f" | {_more(one)} |"
        for one in results
    ]
    return [
        "| scenario | | orders | events | kills | lost | doubled | seconds | also |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _more(one: Result) -> str:
    told = {
        **{name: one.get(name, 0) for name in ("parked", "dead", "quarantined", "forgeries")},
        **one.get("figures", {}),
    }
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value)


def _windows(results: list[Result]) -> list[str]:
    """What a manifest names as a window, and weather reached that was made to go beyond it."""
    named = [f"- {one['name']}: {sentence}" for one in results for sentence in one.get("windows", ())]
    return (
        [
            "Within the windows that manifests name, in weather made to go beyond them, and so reported apart:",
            "",
            *named,
            "",
        ]
        if named
        else []
    )


def _table(results: list[Result]) -> list[str]:
    if not results:
        return []
    head = ["| without | what is gone | caught by | as | the first thing it said |", "|---|---|---|---|---|"]
    return ["## The judge is judged", "", *head, *(_row(one) for one in results), ""]


def _row(one: Result) -> str:
    caught = ", ".join(one.get("caught_as", ())) or "SURVIVED"
    told = (one["name"].partition("/")[2], one.get("safeguard", ""), one.get("scenario", ""), caught, _first(one))
    return f"| {' | '.join(told)} |"


def _first(one: Result) -> str:
    kinds = tuple(one.get("caught_as", ()))
    return (
        next((said for said in one.get("findings", ()) if said.startswith(kinds)), str(one.get("error", ""))[-200:])
        .replace("|", "/")
        .replace("\n", " ")
    )
