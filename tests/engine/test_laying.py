"""Laying out: what a run's steps wait for, of their own run and of what their subject had open before."""

from __future__ import annotations

from app.database import transaction
from app.journal import runs, subjects
from app.journal.runs import NewRun, NewStep
from tests.world import World

WAITS = """
SELECT s.name, s.state, s.pending, s.armed, coalesce((SELECT array_agg(o.name ORDER BY o.id) FROM waits w JOIN steps o ON o.id = w.on_id
    WHERE w.step_id = s.id), '{}') AS on FROM steps s WHERE s.run_id = :run ORDER BY s.id
"""


def _step(name: str, account: str, *after: str, role: str = "erp", skip: str = "", ordered: bool = True) -> NewStep:
    return NewStep(name, role, account, "outer", f"key-{name}", after=after, skip=skip, ordered=ordered)


def _lay(difference: str, *steps: NewStep) -> int | None:
    with transaction() as tx:
        subject = subjects.lock(tx, "order", "shop", "L-1")
        return runs.lay(tx, NewRun(subject.id, None, None, "order_placed", 1, difference, None, "shop", 0, steps))


def _laid(world: World, run: int | None) -> dict[str, tuple[str, int, bool, list[str]]]:
    return {row[0]: tuple(row[1:]) for row in world.rows(WAITS, run=run)}  # type: ignore[misc]  # as WAITS says


def test_a_run_waits_for_itself_and_for_what_was_before(acme: World) -> None:
    first = _lay(
        "first",
        _step("book", "erp"),
        _step("tell", "mail", role="notify"),
        _step("ship", "warehouse", "book", "dropped", skip="not offered"),
        _step("dropped", "erp", skip="what changed does not concern it"),
        _step("amend", "erp", "ship"),
        _step("thank", "mail", "dropped", "amend", ordered=False),
    )
    assert _laid(acme, first) == {
        "book": ("ready", 0, True, []),
        "tell": ("ready", 0, True, []),
        "ship": ("skipped", 0, False, []),
        "dropped": ("skipped", 0, False, []),
        "amend": ("waiting", 1, False, ["book"]),
        "thank": ("waiting", 1, False, ["amend"]),
    }
    assert acme.one("SELECT open_steps FROM runs") == 4
    tell = int(acme.one("SELECT id FROM steps WHERE name = 'tell'"))
    undo = NewStep("untell", "mail", "other", "undo", "key-untell", after_ids=(tell,), undoes=tell)
    second = _lay("second", _step("book", "erp"), _step("look", "erp", ordered=False), _step("more", "mail"), undo)
    assert _laid(acme, second) == {
        "book": ("waiting", 2, False, ["book", "amend"]),
        "look": ("ready", 0, True, []),
        "more": ("waiting", 1, False, ["thank"]),
        "untell": ("waiting", 1, False, ["tell"]),
    }
    assert acme.one("SELECT undoes FROM steps WHERE name = 'untell'") == tell


def test_a_difference_has_one_run_and_one_of_nothing_has_ended(acme: World) -> None:
    assert _lay("once", _step("book", "erp")) is not None
    assert _lay("once", _step("book", "erp")) is None
    nothing = _lay("nothing", _step("ship", "warehouse", skip="not offered"))
    assert acme.one("SELECT state FROM runs WHERE id = :id", id=nothing) == "done"
    assert _lay("empty") is not None
    assert acme.one("SELECT count(*) FROM steps") == 2
