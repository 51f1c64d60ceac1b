"""Mappings: what each system calls our SKUs, places, taxes and carriers; the missing ones first."""

from __future__ import annotations

from typing import ClassVar

from flask import request
from flask.typing import ResponseReturnValue

from app.bell import ring
from app.catalogue import codes
from app.database import transaction
from app.journal import actions
from app.journal.reading import lists
from app.web.admin.asking import back, many
from app.web.admin.gate import Page, expose, me
from config.reader import config

KINDS = ("sku", "location", "tax_code", "carrier", "payment_method", "shipping_method", "unit", "supplier")


class Codes(Page):
    needs: ClassVar = {"index": "viewer", "additions": "support"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        after = (request.args.get("a", ""), request.args.get("k", ""), request.args.get("o", ""))
        word = request.args.get("word", "").strip()[:200]
        with transaction() as tx:
            rows = lists.codes(tx, after, word)
            missing = lists.missing(tx)
        shown = {"missing": missing, "rows": rows[:50], "more": len(rows) > 50, "word": word}
        wanted = {name: request.args.get(name, "") for name in ("account", "kind", "ours")}
        return str(self.render("codes.html", **shown, accounts=list(config().accounts), kinds=KINDS, wanted=wanted))

    @expose("/", methods=("POST",))
    def additions(self) -> ResponseReturnValue:
        account, kind, ours, theirs = (
            request.form.get(n, "").strip()[:200] for n in ("account", "kind", "ours", "theirs")
        )
        if account not in config().accounts or kind not in KINDS or not (ours and theirs):
            return back("A mapping needs an account, a kind, our code and theirs.", "bad", "codes.index")
        if not (ours.isprintable() and theirs.isprintable()):
            return back("A code has printable characters only.", "bad", "codes.index")
        with transaction() as tx:
            actions.audit(tx, me().login, "add mapping", f"code:{account}:{kind}:{ours}", "", after={"theirs": theirs})
            rings = codes.add(tx, account, kind, ours, theirs, me().login)
        ring(rings)
        gone_on = f"; {many(len(rings), 'waiting step')} started at once, the rest follow" if rings else ""
        return back(f"{account} calls {ours} {theirs} from now on{gone_on}.", fallback="codes.index")
