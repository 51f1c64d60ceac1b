"""Prices: what each SKU costs now and next, by whose word, and what every channel was told of it, waits for, or refused and why."""

from __future__ import annotations

from typing import ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from app.catalogue import price_reading
from app.database import transaction
from app.journal import actions
from app.web.admin.asking import back, many, reason
from app.web.admin.gate import Page, expose, me


class Prices(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "publications": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        word, after = (request.args.get(name, "").replace("\x00", "").strip()[:200] for name in ("word", "a"))
        refused = request.args.get("refused") == "1"
        with transaction() as tx:
            rows = price_reading.lines(tx, word, after, refused=refused)
        skus = list(dict.fromkeys(row.sku for row in rows))
        shown = set(skus[: price_reading.SHOWN])
        return str(
            self.render(
                "prices.html",
                rows=[row for row in rows if row.sku in shown],
                last=skus[price_reading.SHOWN - 1] if len(skus) > price_reading.SHOWN else "",
                word=word,
                refused=refused,
            )
        )

    @expose("/sku/<path:sku>")
    def one(self, sku: str) -> ResponseReturnValue:
        with transaction() as tx:
            page = price_reading.page(tx, sku.replace("\x00", "")[:200])
        if not page:
            abort(404)
        return str(self.render("price.html", page=page))

    @expose("/publications", methods=("POST",))
    def publications(self) -> ResponseReturnValue:
        """Tells a SKU's prices to every channel once more: somebody has mended why it was refused."""
        why, sku = reason(), request.form.get("sku", "").replace("\x00", "").strip()[:200]
        with transaction() as tx:
            n = price_reading.tell_again(tx, sku)
            actions.audit(tx, me().login, "tell prices again", f"price:{sku}", why, after={"prices": n})
        if not n:
            return back("No channel is told a price of that SKU.", "bad", "prices.index")
        return back(f"{many(n, 'price')} of {sku} will be told again within seconds.", fallback="prices.index")
