"""The first page: one line for each account, every number a link to what it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from flask.typing import ResponseReturnValue

from app.bell import HUB
from app.database import transaction
from app.journal.reading import overview, proofs
from app.web.admin.gate import Page, expose
from config.reader import config
from connectors import registry

QUIET = 120.0  # seconds without a heartbeat


class Home(Page):
    needs: ClassVar = {"index": "viewer"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        names = [*config().accounts, HUB]
        with transaction() as tx:
            seen = overview.overview(tx, names)
            proof = proofs.standing(tx)
        titles = {name: _title(name) for name in names}
        states = {line.account: overview.state(line, seen.held[line.account]) for line in seen.lines}
        now = datetime.now(UTC)
        quiet = [
            beat for beat in seen.heartbeats if beat.seen_at is None or (now - beat.seen_at).total_seconds() > QUIET
        ]
        newest = max((beat.seen_at for beat in seen.heartbeats if beat.seen_at), default=None)
        return str(
            self.render("home.html", seen=seen, states=states, titles=titles, quiet=quiet, newest=newest, proof=proof)
        )


def _title(name: str) -> str:
    entry = config().accounts.get(name)
    manifest = registry.manifests().get(entry.connector) if entry else None
    return (
        manifest.title if manifest else ("the hub's own steps" if name == HUB else (entry.connector if entry else ""))
    )
