"""Steps and attempts: what waits and what was tried, and the buttons that retry or give up."""

from __future__ import annotations

from typing import ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from app.bell import ring
from app.database import transaction
from app.journal import actions
from app.journal.reading import exchanges, lists, overview
from app.journal.reading.timeline import OUTCOME
from app.journal.reading.words import LABEL, tell
from app.web.admin.asking import back, chosen, given, many, reason
from app.web.admin.gate import Page, expose, me
from app.web.admin.raw import exchanged
from config.reader import config


class Steps(Page):
    needs: ClassVar = {
        "index": "viewer",
        "retries": "support",
        "repeats": "admin",
        "cancellations": "operator",
        "selected": "support",
    }

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = given("account", "state", "name", "open")
        with transaction() as tx:
            page = lists.steps(tx, said)
            held = overview.held(tx, list({step.account for step in page.rows}))
        told = [(step, tell(step, held.get(step.account), [])) for step in page.rows]
        return str(
            self.render(
                "steps.html", page=page, told=told, said=said, states=LABEL, accounts=[*config().accounts, "hub"]
            )
        )

    @expose("/<int:step>/retries", methods=("POST",))
    def retries(self, step: int) -> ResponseReturnValue:
        return _retry([step], again=False)

    @expose("/<int:step>/repeats", methods=("POST",))
    def repeats(self, step: int) -> ResponseReturnValue:
        return _retry([step], again=True)

    @expose("/retries", methods=("POST",))
    def selected(self) -> ResponseReturnValue:
        return _retry([int(word) for word in chosen("step") if word.isdigit()], again=False)

    @expose("/<int:step>/cancellations", methods=("POST",))
    def cancellations(self, step: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            rings = actions.cancel_steps(tx, [step], me().login, why)
        ring(rings)
        return back("The step is given up; what waited for it goes on.")


def _retry(steps: list[int], again: bool) -> ResponseReturnValue:
    why = reason()
    with transaction() as tx:
        rings = actions.retry(tx, steps, me().login, why, again=again)
    ring(rings)
    return back(
        f"Asked for: {many(len(steps), 'step')} will be tried as soon as the account allows. What is done stays done."
    )


class Attempts(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "exchange": "viewer"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = given("account", "outcome", "bad", "recent")
        with transaction() as tx:
            page = lists.attempts(tx, said)
        return str(
            self.render("attempts.html", page=page, said=said, outcomes=OUTCOME, accounts=[*config().accounts, "hub"])
        )

    @expose("/<int:attempt>")
    def one(self, attempt: int) -> ResponseReturnValue:
        return self._shown(attempt, "attempt.html")

    @expose("/<int:attempt>/exchange")
    def exchange(self, attempt: int) -> ResponseReturnValue:
        """Only the requests and answers, to be shown inside the order's page."""
        return self._shown(attempt, "exchange.html")

    def _shown(self, attempt: int, template: str) -> ResponseReturnValue:
        with transaction() as tx:
            row = exchanges.attempt(tx, attempt)
            if row is None:
                abort(404)
            kept = exchanges.payloads(tx, "attempt", attempt)
        personal = me().may("support")
        made = [exchanged(payload, personal) for payload in kept]
        return str(
            self.render(
                template,
                attempt=row,
                made=made,
                personal=personal,
                outcomes=OUTCOME,
                nested=bool(request.args.get("nested")),
            )
        )
