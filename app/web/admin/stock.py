"""Stock: what is there by SKU and place, who claims it, and what each channel was told and when."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.journal import actions
from app.stock import dirty, drift, reading
from app.web.admin.asking import back, many, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config


class Stock(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "publications": "operator", "repairs": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = {
            name: request.args.get(name, "").replace("\x00", "").strip()[:200] for name in ("word", "location", "a")
        }
        stale = float(config().availability.get("publication", {}).get("stale", 600))
        with transaction() as tx:
            rows = reading.lines(tx, said["word"], said["location"], said["a"])
            shown = {"owed": reading.owed(tx), "channels": reading.late(tx, stale), "publishers": dirty.publishers()}
        return str(self.render("stock.html", rows=rows[:50], more=len(rows) > 50, said=said, **shown))

    @expose("/sku/<path:sku>")
    def one(self, sku: str) -> ResponseReturnValue:
        with transaction() as tx:
            page = reading.sku(tx, sku)
        if page is None:
            abort(404)
        return str(self.render("stock_sku.html", page=page, words=drift.WORDS_OF))

    @expose("/publications", methods=("POST",))
    def publications(self) -> ResponseReturnValue:
        """Tells the SKUs that fit to a channel, or to all, once more: with `again` even what it knows already."""
        chosen: dict[str, Any] = {
            name: request.form.get(name, "").strip()[:200] for name in ("account", "word", "location")
        }
        why, again = reason(), request.form.get("again") == "1"
        if chosen["account"] and chosen["account"] not in dirty.publishers():
            return back("That account is not told of stock.", "bad", "stock.index")
        with transaction() as tx:
            n = dirty.mark_fitting(tx, **chosen, again=again)
            actions.audit(
                tx, me().login, "publish stock", f"stock:{chosen['account'] or 'all'}", why, after={**chosen, "skus": n}
            )
        return back(f"{many(n, 'SKU')} will be told in the next batches.", fallback="stock.index")

    @expose("/repairs/<int:drift_id>", methods=("POST",))
    def repairs(self, drift_id: int) -> ResponseReturnValue:
        """Mends a difference as proposed; the next look that agrees closes it."""
        why = reason()
        with transaction() as tx:
            made = drift.repair(tx, drift_id, dry=False)
            if made is None or not made.done:
                return back("It is closed already, or a person must decide who is right.", "bad", "stock.index")
            after = {"before": str(made.before), "after": str(made.after)}
            actions.audit(tx, me().login, "repair stock", f"drift:{drift_id}", why, after=after)
        return back(f"{made.sentence}. The next look closes it.", fallback="stock.index")
