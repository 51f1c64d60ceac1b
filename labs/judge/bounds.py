"""How far weather beyond a named window excuses: only what it touched is reported apart, the rest is found as ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labs.judge.evidence import Call, Evidence
from labs.judge.rules import RESENT
from local.story.judge import Finding


def forgotten_or_in_flight(seen: Evidence, found: list[Finding]) -> list[Finding]:
    """Findings about acknowledged deliveries that the promoted journal does not know, and about orders that have one of these (their parcels' and
    refunds' too), or that were told of or written about while the standby heard nothing; and about calls that were made again since their
    answers were forgotten."""
    names, again = touched(seen), set(_answers_forgotten(seen))
    return [one for one in found if ((one.system, one.what) in again if one.kind == RESENT else one.what in names)]


def touched(seen: Evidence) -> set[str]:
    """Names under which findings speak of them: deliveries, orders by number, mark and key, requests by reference."""
    forgotten = {(one.account, one.id) for one in seen.log if one.taken and not one.forged} - seen.inside.deliveries
    subjects = {one.subject for one in seen.log if (one.account, one.id) in forgotten}
    subjects |= set(_in_flight(seen))
    marks = {one.name for one in seen.outside.sold if one.id in subjects}
    marks |= {one.name for one in seen.outside.asked if one.reference in subjects}
    orders = {one.id for one in seen.outside.sold if one.name in marks}
    requests = [one for one in seen.outside.asked if one.name in marks]
    return {
        *(name for _, name in forgotten),
        *marks,
        *orders,
        *(f"{seen.outside.channel}-{order}" for order in orders),
        *(one.reference for one in requests),
        *(parcel.id for one in requests for parcel in one.parcels),
        *(refund for one in seen.outside.sold if one.name in marks for refund in one.refunds),
    }


def _in_flight(seen: Evidence) -> Iterator[str]:
    """Numbers of what was told, or written at a system, while the standby heard nothing."""
    if seen.unheard is None:
        return
    began, ended = seen.unheard
    for told in seen.log:
        if told.answered >= began and told.at <= ended:
            yield told.subject
    for made in seen.done:
        if began <= made.at <= ended:
            yield made.subject


def _answers_forgotten(seen: Evidence) -> Iterator[tuple[str, str]]:
    """(system, reference) of what was answered once, while the standby heard nothing, and asked for once more after it was promoted."""
    if seen.unheard is None:
        return
    began, ended = seen.unheard
    asked: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
    for call in sorted(seen.calls, key=lambda call: call.at):
        name = (call.system, call.operation, str(call.body.get("reference", "")))
        if call.write and name[2] and (call.answered_well or name in asked):
            asked[name].append(call)
    for (system, _, reference), (first, *later) in asked.items():
        heard_late = first.at + first.seconds >= began - CONCLUDED and first.at <= ended
        if heard_late and len(later) == 1 and later[0].at > ended:
            yield system, reference


def faults_of_mail(seen: Evidence, found: list[Finding]) -> list[Finding]:
    """As many as there were calls that met a fault after the mail was handed over: the server's log names no recipient, so this is bound by number
    (lost ones and doubled ones together)."""
    met = sum(1 for call in seen.calls if call.system == "mail" and call.fault in UNSURE)
    return found[:met]


CONCLUDED = 1.0  # seconds in which an answer is committed, on a crowded machine


def lost_answers(seen: Evidence, found: list[Finding]) -> list[Finding]:
    """As many at each system as there were writes whose answers it lost: these alone had to be looked for where an index was late."""
    kept: list[Finding] = []
    for system in sorted({one.system for one in found}):
        lost = sum(1 for call in seen.calls if call.system == system and call.write and call.fault in UNSURE)
        kept += [one for one in found if one.system == system][:lost]
    return kept


# Bad days after which nobody can say whether a mail was kept (connectors/smtp/simulator.py).
UNSURE = frozenset(("drop", "commit_then_drop", "commit_late", "truncated", "wrong_type", "slow"))
