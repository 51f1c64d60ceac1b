"""Audit: who did what, to what, when, from where and why."""

from __future__ import annotations

from typing import ClassVar

from flask.typing import ResponseReturnValue

from app.database import transaction
from app.journal.reading import lists
from app.web.admin.asking import given
from app.web.admin.gate import Page, expose


class Audit(Page):
    needs: ClassVar = {"index": "support"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = given("who", "object")
        with transaction() as tx:
            page = lists.audit(tx, said)
        return str(self.render("audit.html", page=page, said=said))
