"""The mutants: each takes one safeguard out of the engine's source, and a scenario must catch it."""

from __future__ import annotations

from dataclasses import dataclass

from labs.failure.cuts import Cut


@dataclass(frozen=True)
class Mutant:
    """`about` says which safeguard is gone; `scenario` must then be found `caught_as` one of these kinds."""

    name: str
    about: str
    scenario: str
    caught_as: tuple[str, ...]
    cuts: tuple[Cut, ...]


ALL = (
    Mutant(
        "delivery-key",
        "a delivery that comes again is not recognised",
        "told-again",
        ("doubled",),
        (
            Cut(
                "app/journal/accept.py",
                """        "delivery_id": delivery_id,""",
                """        "delivery_id": f"{delivery_id} {os.urandom(8).hex()}",""",
            ),
        ),
    ),
    Mutant(
        "write-key",
        "each attempt at a write has a key of its own",
        "keys-answer",
        ("doubled",),
        (
            Cut(
                "tasks/engine/work.py",
                "        return self.step.key\n",
                '        return f"{self.step.key}-{self.step.fence}"\n',
            ),
        ),
    ),
    Mutant(
        "fence",
        "whoever claimed a step once may conclude it",
        "frozen-at-its-answer",
        ("doubled", "resent"),
        (
            Cut(
                "migrations/sql/0009_moves.sql",
                "WHERE id = p_id AND fence = p_fence AND state = 'running' RETURNING run_id",
                "WHERE id = p_id AND fence >= p_fence AND state = 'running' RETURNING run_id",
            ),
        ),
    ),
    Mutant(
        "lease-check",
        "nobody looks at the lease before the first byte",
        "frozen-before-its-first-byte",
        ("doubled", "resent"),
        (
            Cut(
                "tasks/engine/work.py",
                "        left = self.lease - (time.monotonic() - self.began)\n        if left <",
                "        left = self.lease\n        if left <",
            ),
        ),
    ),
    Mutant(
        "look-up",
        "a write whose answer was lost is made again without a look",
        "answers-lost",
        ("doubled",),
        (
            Cut(
                "tasks/engine/work.py",
                "        elif self.step.doubtful and not self.resent:\n",
                "        elif False:\n",
            ),
        ),
    ),
    Mutant(
        "settles-after",
        "not found counts as not done at once",
        "commits-late",
        ("doubled",),
        (Cut("tasks/engine/work.py", "            if left > 0:\n                raise NotSettled(left)\n", ""),),
    ),
    Mutant(
        "sweep",
        "nothing rings again",
        "broker-emptied",
        ("lost", "too few"),
        (
            Cut(
                "tasks/feeds/sweep.py",
                """    heard = float(config().settings["engine"]["rung_again"])\n""",
                """    heard = float(config().settings["engine"]["rung_again"])\n    if heard:\n        return "nothing"\n""",
            ),
        ),
    ),
    Mutant(
        "commit-before-answer",
        "a delivery is acknowledged first and kept three seconds later",
        "receiver-killed",
        ("lost",),
        (
            Cut(
                "app/web/webhooks.py",
                "    kept = journal.accept(account, delivery_id, topic, incoming.headers, incoming.body, proof=proof)\n",
                "    kept = _later(account, delivery_id, topic, incoming.headers, incoming.body, proof)\n",
            ),
            Cut(
                "app/web/webhooks.py",
                "def _storable(word: object) -> bool:\n",
                """def _later(*what: Any) -> journal.Accepted:
    import threading

    threading.Timer(3.0, lambda: journal.accept(*what[:5], proof=what[5])).start()
    return journal.Accepted(0, True)


def _storable(word: object) -> bool:
""",
            ),
        ),
    ),
    Mutant(
        "shared-limiter",
        "each worker keeps to the limit by itself",
        "two-workers",
        ("over limit",),
        (
            Cut(
                "tasks/engine/connecting.py",
                "    return Limiter(client, entries.limits_of, used_today)\n",
                '    return Limiter(client, entries.limits_of, used_today, prefix=f"waybill:limit:{pid}")\n',
            ),
        ),
    ),
    Mutant(
        "order-per-subject",
        "a step does not wait for earlier ones of its subject at its account",
        "kept-in-order",
        ("misordered", "doubled", "wrong", "lost"),
        (
            Cut("app/journal/runs.py", "            if step.ordered:\n", "            if step.undoes:\n"),
            Cut("app/journal/runs.py", '"ordered": step.ordered}\n', '"ordered": bool(step.undoes)}\n'),
        ),
    ),
    Mutant(
        "parked-re-read",
        "a step parks without reading the fact again under its lock",
        "mapped-at-that-moment",
        ("lost",),
        (
            Cut(
                "tasks/engine/conclude.py",
                "    if verdict.fact is None:\n",
                "    if verdict.fact or not verdict.fact:\n",
            ),
        ),
    ),
    Mutant(
        "echo-filter",
        "what comes back from us is taken for news",
        "parcels-come-back",
        ("doubled", "wrong"),
        (
            Cut("app/orders/merge.py", "    if shipment.id in links:\n        return links[shipment.id]\n", ""),
            Cut("app/orders/merge.py", "        if same_parcels or (", "        if not other.id and same_parcels or ("),
        ),
    ),
)
MUTANTS: dict[str, Mutant] = {one.name: one for one in ALL}
