"""The arithmetic of the load lab: medians, percentiles, processor time of groups of processes, a machine's steadiness."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def rate(moments: Sequence[float]) -> float:
    """Things a second, from the first to the last moment; 0 when there are fewer than two."""
    if len(moments) < 2:
        return 0.0
    return (len(moments) - 1) / (max(moments) - min(moments))


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours and a floor, measured one right after the other."""

    ours: float
    floor: float


def ratio(pairs: Sequence[Pair]) -> float:
    """Ours as a multiple of the floor: the median of the pairs' own ratios, since a machine's speed drifts between pairs."""
    return median(pair.ours / pair.floor for pair in pairs)


def over_bucket(calls: Sequence[tuple[float, float]], rate: float, burst: float) -> int:
    """How often a leaky bucket at the vendor would have overflowed; a call is when it came and what it costs."""
    level, last, over = burst, calls[0][0] if calls else 0.0, 0
    for at, price in calls:
        level, last = min(burst, level + (at - last) * rate), at
        level -= price
        if level < 0:
            over, level = over + 1, 0
    return over


def over_window(arrivals: Sequence[float], burst: int, seconds: float) -> int:
    """In how many windows of any start more calls arrived than allowed."""
    return sum(1 for n, at in enumerate(arrivals) if n >= burst and at - arrivals[n - burst] < seconds)


# ---- processes


def family(pid: int) -> list[int]:
    """A process and all that it started, as /proc tells."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        own = [int(name) for name in children.read_text().split()]
    except OSError:
        return []
    return [pid, *(name for child in own for name in family(child))]


def processor_seconds(pid: int) -> float:
    """User and system time of a process, its living and its reaped children."""
    total = 0.0
    for name in family(pid):
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15]) / TICKS
    return total


def resident(pid: int) -> int:
    """Bytes in memory of a process and its children, shared pages counted once each."""
    total = 0
    for name in family(pid):
        try:
            total += int(Path(f"/proc/{name}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):
            continue
    return total
