"""The certificate: what was proved, hour by hour, with the hash of all that was compared, and every difference with both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from tasks.proving.words import FIGURES, KINDS, HourProof

AGREES, DIFFERS, UNPROVED = 0, 1, 2
COLUMNS = tuple(name for name in FIGURES if name not in KINDS)


def verdict(found: Sequence[HourProof]) -> int:
    """0 when all agrees, 1 on a difference, 2 when nothing differs but something could not be asked."""
    if any(proof.differences for proof in found):
        return DIFFERS
    return UNPROVED if not found or any(proof.unproved for proof in found) else AGREES


def inputs(found: Sequence[HourProof]) -> str:
    """One hash over all hours: the same inputs give the same."""
    return sha256("".join(f"{p.channel} {p.hour.isoformat()} {p.inputs}\n" for p in found).encode()).hexdigest()


def told(found: Sequence[HourProof]) -> Iterator[str]:
    """The certificate as lines."""
    for proof in found:
        yield f"{proof.channel}  {proof.hour:%Y-%m-%d %H:00} UTC{'' if proof.ended else ' (not over)'}"
        yield f"  {', '.join(f'{_word(name)} {proof.figures.get(name, 0)}' for name in COLUMNS)}"
        wrong = [name for name in KINDS if proof.figures.get(name)]
        yield f"  differences: {', '.join(f'{_word(name)} {proof.figures[name]}' for name in wrong) or 'none'}"
        yield from (f"  not proved: {why}" for why in sorted(set(proof.unproved)))
        for one in proof.differences:
            yield f"  {_word(one.kind).upper()} {one.about}: the journal: {one.ours}; {one.account}: {one.theirs}"
        yield f"  inputs sha256 {proof.inputs}"
    yield SENTENCES[verdict(found)]
    yield f"inputs sha256 {inputs(found)}"


SENTENCES = {
    AGREES: "All of it agrees.",
    DIFFERS: "There are differences.",
    UNPROVED: "Nothing differs, but not all of it could be proved.",
}


def _word(name: str) -> str:
    return name.replace("_", " ")


def document(found: Sequence[HourProof]) -> dict[str, Any]:
    """The same for machines."""
    rows = [
        {
            "channel": proof.channel,
            "hour": proof.hour.isoformat(),
            "over": proof.ended,
            "figures": {name: proof.figures.get(name, 0) for name in FIGURES},
            "unproved": sorted(set(proof.unproved)),
            "differences": [
                {"kind": one.kind, "account": one.account, "about": one.about, "ours": one.ours, "theirs": one.theirs}
                for one in proof.differences
            ],
            "inputs": proof.inputs,
        }
        for proof in found
    ]
    return {"verdict": SENTENCES[verdict(found)], "inputs": inputs(found), "hours": rows}
