"""What a simulated system will do later: at its time, while another job still runs, and not while it is held."""

from __future__ import annotations

from threading import Event

from connectors.kit.simulator_agenda import Agenda


def test_what_is_due_begins_while_another_job_still_runs() -> None:
    agenda, first, second, over = Agenda("tried", threads=2), Event(), Event(), Event()

    def long() -> None:
        first.set()
        over.wait(20)

    agenda.after(0.1, second.set)
    agenda.after(0.02, long)
    try:
        assert first.wait(10)
        assert second.wait(10)
        assert not over.is_set()
    finally:
        over.set()


def test_while_it_is_held_nothing_begins() -> None:
    held, begun = Event(), Event()
    held.set()
    agenda = Agenda("tried", held=held.is_set)
    agenda.after(0, begun.set)
    assert not begun.wait(0.1)
    held.clear()
    assert begun.wait(10)
