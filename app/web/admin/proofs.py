"""The proof: what was held against the outsiders' own lists, by channel and hour, and every difference with both sides' words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from app.bell import ring
from app.database import transaction
from app.journal import mending
from app.journal.reading import proofs
from app.journal.reading.rows import number
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config

# What a reader wants to see first; the rest of the figures stands on the hour's own page.
SHOWN = {
    "acknowledged": "Acknowledged",
    "received": "Received",
    "applied": "Applied",
    "listed_at_source": "At the source",
    "booked": "Booked",
    "listed_at_erp": "At the ERP",
}


class Proofs(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "repairs": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        channel, wrong = request.args.get("channel", "").replace("\x00", "")[:200], bool(request.args.get("wrong"))
        with transaction() as tx:
            page = proofs.page(tx, channel, wrong, _hour(request.args.get("before", "")))
            standing = proofs.standing(tx)
        said = {"channel": channel, "wrong": wrong}
        names = list(config().accounts)
        return str(self.render("proofs.html", page=page, standing=standing, said=said, accounts=names, shown=SHOWN))

    @expose("/<channel>/<hour>")
    def one(self, channel: str, hour: str) -> ResponseReturnValue:
        at = _hour(hour)
        if at is None or "\x00" in channel:
            abort(404)
        with transaction() as tx:
            row = proofs.one(tx, channel, at)
            if row is None:
                abort(404)
            found = proofs.differences(tx, channel, at, number(request.args.get("after")) or 0)
        return str(self.render("proof.html", proof=row, page=found, proposal=mending.proposal, repaired=mending.STEPS))

    @expose("/repairs/<int:difference>", methods=("POST",))
    def repairs(self, difference: int) -> ResponseReturnValue:
        """Mends a difference as proposed, or only says what that would do; the next proof that agrees closes it."""
        why, dry = reason(), request.form.get("dry") == "1"
        with transaction() as tx:
            made = mending.mend(tx, difference, me().login, why, dry=dry)
        if made is None:
            return back("It is closed already.", "bad", "proofs.index")
        if not made.possible:
            return back(f"Nothing was done. {made.sentence}: {made.after}.", "bad", "proofs.index")
        ring(made.rings)
        told = "Nothing was done. It would" if dry else "Asked for:"
        return back(f"{told} {made.sentence}: {made.after}.", fallback="proofs.index")


def _hour(word: str) -> datetime | None:
    """An hour as it stands in an address: 2026-11-25T10:00Z."""
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
