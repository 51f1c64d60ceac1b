"""The Celery app: every step of every flow is a task of its own name on its account's queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, signals
from kombu import Queue
from sqlalchemy.exc import SQLAlchemyError

from app import database, logs, wire
from app.bell import CLOCK, HUB, INTAKE, RECEIVE, celery_settings
from app.database import transaction
from app.journal.known import unknown
from app.orders import fulfilments, holds
from config.reader import config
from tasks import receive
from tasks.engine import shown
from tasks.engine.loop import perform
from tasks.feeds import clock, fulfilled, held
from tasks.flows.book import FLOWS
from tasks.flows.table import Flow

log = structlog.get_logger("worker")
wire.lay()
app = Celery("waybill")
app.conf.update(celery_settings())
app.conf.update(
    task_queues=[Queue(name) for name in (HUB, INTAKE, CLOCK, *config().accounts)],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_soft_shutdown_timeout=10,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=5,
    beat_schedule=clock.beat_schedule(),
    beat_max_loop_interval=2,
)
app.steps["consumer"].add(shown.Grouped)


def _names(flow: Flow) -> list[str]:
    """The flow's steps, and what undoes them."""
    undos = [step.undo.__name__ for step in flow.steps if step.undo is not None]
    return [step.name for step in flow.steps] + undos


def _task(name: str, call: Callable[[int], Any]) -> None:
    def run(row_id: int) -> Any:
        return call(row_id)

    app.task(name=name, shared=False)(run)


for _flow in FLOWS.values():
    for _name in _names(_flow):
        _task(f"{_flow.name}.{_name}", perform)
_task(RECEIVE, receive.receive_on)
_task(holds.FREE, held.start)
_task(fulfilments.FOLLOW, fulfilled.follow)
for _job, _run in clock.JOBS.items():
    app.task(name=f"waybill.{_job}", shared=False)(_run)


@signals.worker_init.connect
def _plan_once(**_: Any) -> None:
    """Before anything else is asked of the database."""
    database.plan_once()


@signals.worker_init.connect
def _refuse(**_: Any) -> None:
    """An older or newer worker would let steps wait for ever that it does not know: it does not start among them."""
    try:
        with transaction() as tx:
            strangers = unknown(tx, {flow.name: _names(flow) for flow in FLOWS.values()})
    except SQLAlchemyError as error:
        log.warning("the database cannot be asked for open steps", code=type(error).__name__)
        return
    if strangers:
        raise SystemExit(
            f"Open steps are called {', '.join(strangers)}, which this code does not know: "
            "let the older version finish them, or give them up in the admin."
        )


@signals.worker_process_init.connect
@signals.worker_init.connect
@signals.beat_init.connect
def _begin(**_: Any) -> None:
    logs.setup("worker")
