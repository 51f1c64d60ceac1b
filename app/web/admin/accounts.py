"""Accounts: what each may be asked and is being asked, and the buttons that pause, drain, resume or slow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.accounts import control, entries, errands
from app.bell import HUB, Ring, ring
from app.database import transaction
from app.journal.reading import draining, overview, subscriptions
from app.web import limiting
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config
from connectors import registry


class Accounts(Page):
    needs: ClassVar = {
        "index": "viewer",
        "one": "viewer",
        "pauses": "operator",
        "drains": "operator",
        "resumptions": "operator",
        "limits": "operator",
        "registrations": "operator",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        names = list(config().accounts)
        with transaction() as tx:
            lines = overview.lines(tx, names)
            held = overview.held(tx, names)
        manifests = {name: registry.manifests().get(entry.connector) for name, entry in config().accounts.items()}
        states = {line.account: overview.state(line, held[line.account]) for line in lines}
        return str(self.render("accounts.html", lines=lines, held=held, states=states, manifests=manifests))

    @expose("/<account>")
    def one(self, account: str) -> ResponseReturnValue:
        if account != HUB and account not in config().accounts:
            abort(404)
        with transaction() as tx:
            line = overview.lines(tx, [account])[0]
            held = overview.held(tx, [account])[account]
            done = errands.last(tx, account)
            drain = draining.drain(tx, account)
            webhooks = subscriptions.of(tx, account)
        entry = config().accounts.get(account)
        manifest = registry.manifests().get(entry.connector) if entry else None
        shown = {"line": line, "held": held, "state": overview.state(line, held), "entry": entry, "manifest": manifest}
        shown |= {"drain": drain, "errands": done, "subscribes": _subscribes(account), "webhooks": webhooks}
        return str(self.render("account.html", **shown, limits=limiting.of_account(account) if manifest else []))

    @expose("/<account>/pauses", methods=("POST",))
    def pauses(self, account: str) -> ResponseReturnValue:
        return _act(account, control.pause, "Paused: nothing more is begun there, its steps keep waiting.")

    @expose("/<account>/drains", methods=("POST",))
    def drains(self, account: str) -> ResponseReturnValue:
        return _act(account, control.drain, "Draining: what waits now is done, what comes later waits.")

    @expose("/<account>/resumptions", methods=("POST",))
    def resumptions(self, account: str) -> ResponseReturnValue:
        return _act(account, control.resume, "Resumed.")

    @expose("/<account>/registrations", methods=("POST",))
    def registrations(self, account: str) -> ResponseReturnValue:
        """A worker does it: the web face calls no vendor."""
        if not _subscribes(account):
            abort(404)
        return _act(account, errands.register, "Asked for: a worker registers what is missing within seconds.")

    @expose("/<account>/limits", methods=("POST",))
    def limits(self, account: str) -> ResponseReturnValue:
        _known(account)
        why = reason()
        try:
            name = next(limit.name for limit in entries.limits_of(account) if limit.name == request.form.get("name"))
            rate, burst, hours = (float(request.form.get(field, "")) for field in ("rate", "burst", "hours"))
        except (StopIteration, ValueError):
            return back("A limit needs its name, a rate, a burst and for how many hours.", "bad")
        if not (0 <= rate <= 10_000 and 1 <= burst <= 1_000_000 and 0 < hours <= 720):
            return back("Rate 0 to 10,000, burst 1 to 1,000,000, at most 720 hours.", "bad")
        until = datetime.now(UTC) + timedelta(hours=hours)
        with transaction() as tx:
            control.set_limit(tx, account, name, rate, burst, until, me().login, why)
        return back(f"{name} is {rate:g} a second, {burst:g} at once, for {hours:g} hours.")


def _subscribes(account: str) -> bool:
    entry = config().accounts.get(account)
    manifest = registry.manifests().get(entry.connector) if entry else None
    return manifest is not None and "Subscriber" in manifest.offers


def _known(account: str) -> None:
    if account != HUB and account not in config().accounts:
        abort(404)


Act = Callable[[Connection, str, str, str], list[Ring] | None]


def _act(account: str, act: Act, told: str) -> ResponseReturnValue:
    _known(account)
    why = reason()
    with transaction() as tx:
        rings: Sequence[Ring] = act(tx, account, me().login, why) or ()
    ring(rings)
    return back(told, fallback="accounts.index")
