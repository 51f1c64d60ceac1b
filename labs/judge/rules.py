"""The rules that a lab adds to the story's: acknowledgements, order, limits, repeated calls, reservations, money, what sleeps for nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from labs.judge.evidence import Call, Done, Evidence, Published
from local.story.facts import Sold
from local.story.judge import DOUBLED, LOST, WRONG, Finding

MISORDERED, OVER, RESENT = "misordered", "over limit", "resent"
Rule = Callable[[Evidence], Iterator[Finding]]

# ---- what senders were told


def acknowledged_as_one(seen: Evidence) -> Iterator[Finding]:
    """However often a delivery comes, it is acknowledged under one number, and as new at most once."""
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    news: dict[tuple[str, str], int] = defaultdict(int)
    for one in (one for one in seen.log if one.taken and one.event):
        numbers[one.account, one.id].add(one.event)
        news[one.account, one.id] += one.fresh
    for name, given in numbers.items():
        if len(given) > 1 or news[name] > 1:
            words = f"delivery {name[1]} of {name[0]} was acknowledged under {len(given)} numbers, {news[name]} times as new"
            yield Finding(DOUBLED, "hub", name[1], words)


def what_is_proved_is_taken(seen: Evidence) -> Iterator[Finding]:
    """No valid delivery is refused for its signature, rotation or not."""
    for one in seen.log:
        if not one.forged and one.status in (401, 403):
            yield Finding(
                WRONG, "hub", one.id, f"the valid delivery {one.id} of {one.account} was answered {one.status}"
            )


# ---- what came in which order

# What must have come before: nothing is delivered, credited or changed that is not booked, nothing withdrawn that is not asked for.
AFTER = {
    "delivered": "booked",
    "credited": "booked",
    "amended": "booked",
    "cancelled": "booked",
    "withdrawn": "requested",
}


def in_order(seen: Evidence) -> Iterator[Finding]:
    """Per subject and account, changes come as they happened at the source."""
    for (system, subject), made in _by_subject(seen.done).items():
        had: set[str] = set()
        for one in made:
            first = AFTER.get(one.what)
            if first is not None and first not in had:
                words = f"{system}: {subject} was {one.what} before it was {first}"
                yield Finding(MISORDERED, system, subject, words)
            had.add(one.what)
        told = [one.content for one in made if one.what in ("booked", "amended", "requested") and one.content]
        if not _follows(told, seen.edits.get(subject, ())):
            yield Finding(
                MISORDERED, system, subject, f"{system} was told of {subject} in this order: {', '.join(told)}"
            )


def ended_right(seen: Evidence) -> Iterator[Finding]:
    """Every system ends with what the source ended with."""
    for sold in seen.outside.sold:
        edits = seen.edits.get(sold.id, ())
        if not edits or sold.cancelled or _excused(seen, sold, "order_placed", "order_changed"):
            continue
        for (system, order), content in seen.now_at.items():
            if order == sold.id and content != edits[-1]:
                words = f"{system} ended with {content!r} for {sold.name}, its shop with {edits[-1]!r}"
                yield Finding(MISORDERED, system, sold.name, words)


def _by_subject(done: Iterable[Done]) -> dict[tuple[str, str], list[Done]]:
    found: dict[tuple[str, str], list[Done]] = defaultdict(list)
    for one in sorted(done, key=lambda one: one.at):
        found[one.system, one.subject].append(one)
    return found


def _follows(told: list[str], edits: tuple[str, ...]) -> bool:
    """Whether what was told never goes back to an older edit."""
    places = [edits.index(content) for content in told if content in edits]
    return places == sorted(places)


# ---- limits


def within_limits(seen: Evidence) -> Iterator[Finding]:
    """No call above a published limit in any window, by the system's own record of arrivals."""
    for limit in seen.limits:
        calls = [call for call in seen.calls if call.system == limit.system and _counts(call, limit)]
        over = OVERFLOWS[limit.kind](sorted(calls, key=lambda call: call.at), limit)
        if over:
            name = ", ".join(limit.operations) or "all calls"
            words = f"{limit.system} ({name}): {over} calls above its {limit.kind} limit of {limit.burst}"
            yield Finding(OVER, limit.system, name, words)


def _counts(call: Call, limit: Published) -> bool:
    return not limit.operations or call.operation in limit.operations


def _window(calls: list[Call], limit: Published) -> int:
    return sum(1 for n in range(limit.burst, len(calls)) if calls[n].at - calls[n - limit.burst].at < limit.seconds)


def _bucket(calls: list[Call], limit: Published) -> int:
    level, last, over = float(limit.burst), calls[0].at if calls else 0.0, 0
    for call in calls:
        level, last = min(limit.burst, level + (call.at - last) * limit.rate) - 1, call.at
        if level < 0:
            over, level = over + 1, 0.0
    return over


def _daily(calls: list[Call], limit: Published) -> int:
    days: dict[int, int] = defaultdict(int)
    for call in calls:
        days[int((call.at - limit.seconds) // 86400)] += call.status != 429
    return sum(max(0, count - limit.burst) for count in days.values())


def _at_once(calls: list[Call], limit: Published) -> int:
    moves = sorted(
        [(call.at, 1) for call in calls] + [(call.at + min(call.seconds, limit.waits), -1) for call in calls]
    )
    inside, over = 0, 0
    for _, move in moves:
        inside += move
        over += move > 0 and inside > limit.burst
    return over


OVERFLOWS: dict[str, Callable[[list[Call], Published], int]] = {
    "window": _window,
    "bucket": _bucket,
    "daily": _daily,
    "concurrency": _at_once,
}

# ---- what was asked again


def asked_once(seen: Evidence) -> Iterator[Finding]:
    """What a system did and plainly answered is not asked of it again: a zombie was fenced off before its first byte."""
    well: dict[tuple[str, str, str], float] = {}
    for call in sorted(seen.calls, key=lambda call: call.at):
        reference = str(call.body.get("reference", ""))
        if not call.write or not reference or not call.operation.endswith(".create"):
            continue
        name = (call.system, call.operation, reference)
        if name in well and call.at > well[name]:
            yield Finding(
                RESENT,
                call.system,
                reference,
                f"{call.system} was asked again for {call.operation} {reference}, which it had answered",
            )
        elif call.answered_well:
            well[name] = call.at + call.seconds


# ---- sums


def pieces_balance(seen: Evidence) -> Iterator[Finding]:
    """The ERP holds as delivered exactly the pieces that left the warehouse."""
    if seen.pieces is None:
        return
    left = _left(seen)
    for sold in seen.outside.sold:
        gone, booked = left.get(sold.name, Decimal(0)), seen.pieces.get(sold.id, Decimal(0))
        if booked > gone:
            yield Finding(
                DOUBLED, "erp", sold.name, f"{booked} pieces of {sold.name} are booked as delivered, {gone} left"
            )
        if booked < gone and not _excused(seen, sold, "order_placed", "order_shipped"):
            yield Finding(
                LOST, "erp", sold.name, f"{booked} pieces of {sold.name} are booked as delivered, {gone} left"
            )


def reservations_balance(seen: Evidence) -> Iterator[Finding]:
    """What the hub says is reserved is what was sold and has not left."""
    if seen.reserved is None:
        return
    left = _left(seen)
    for sold in seen.outside.sold:
        if _excused(seen, sold, "order_placed", "order_shipped", "order_changed"):
            continue
        open_pieces = (
            Decimal(0) if sold.cancelled else Decimal(sum(sold.wanted.values())) - left.get(sold.name, Decimal(0))
        )
        held = seen.reserved.get(sold.id, Decimal(0))
        if held != open_pieces:
            yield Finding(
                WRONG, "hub", sold.name, f"{held} pieces are reserved for {sold.name}, {open_pieces} are to be shipped"
            )


def money_balances(seen: Evidence) -> Iterator[Finding]:
    """The sum of the books is the sum of what was sold, and so is what was given back."""
    books = seen.outside.books
    fine = [
        sold
        for sold in seen.outside.sold
        if not sold.cancelled and not _excused(seen, sold, "order_placed", "order_changed", "order_refunded")
    ]
    keys = {f"{seen.outside.channel}-{sold.id}" for sold in fine}
    sold_for = sum((sold.worth for sold in fine), Decimal(0))
    booked = sum((total for key, total in books.totals.items() if key in keys), Decimal(0))
    if sold_for != booked:
        yield Finding(WRONG, "erp", "sum", f"orders worth {sold_for} were sold, {booked} are booked")
    back = sum(
        (amount for sold in fine for tenders in sold.refunds.values() for amount in tenders.values()), Decimal(0)
    )
    credited = sum(
        (amount for (key, _), tenders in books.refunds.items() if key in keys for amount in tenders.values()),
        Decimal(0),
    )
    if back != credited:
        yield Finding(WRONG, "erp", "refunds", f"{back} were given back, {credited} are credited")


def _left(seen: Evidence) -> dict[str, Decimal]:
    """Order name -> pieces that left the warehouse."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for one in seen.outside.asked:
        for parcel in one.parcels:
            found[one.name] += sum(parcel.pieces.values())
    return found


# ---- what stands


def nobody_sleeps_for_nothing(seen: Evidence) -> Iterator[Finding]:
    """To be parked excuses an order only until its fact is there."""
    for order, facts in seen.sleeping.items():
        if facts and facts <= seen.given:
            yield Finding(LOST, "hub", order, f"order {order} is parked for {', '.join(sorted(facts))}, which is there")


def dead_has_an_owner(seen: Evidence) -> Iterator[Finding]:
    if seen.unowned:
        yield Finding(LOST, "hub", "dead", f"{seen.unowned} dead steps have no case, so nobody is asked to look")


def _excused(seen: Evidence, sold: Sold, *flows: str) -> bool:
    standing = seen.inside.trouble.get(sold.id, frozenset())
    return any(state == "quarantined" or flow in flows for flow, _, state in standing)


RULES: tuple[Rule, ...] = (
    acknowledged_as_one,
    what_is_proved_is_taken,
    in_order,
    ended_right,
    within_limits,
    asked_once,
    pieces_balance,
    reservations_balance,
    money_balances,
    nobody_sleeps_for_nothing,
    dead_has_an_owner,
)
