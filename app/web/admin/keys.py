"""API keys: made for a partner and shown once, replaced with an overlap, revoked; all of it is audited."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.journal import actions
from app.web import keys
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me


class Keys(Page):
    needs: ClassVar = {"index": "admin", "additions": "admin", "successors": "admin", "revocations": "admin"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        return self._page()

    def _page(self, token: str = "", name: str = "") -> ResponseReturnValue:
        with transaction() as tx:
            known = keys.everyone(tx)
        shown = {"known": known, "scopes": keys.SCOPES, "token": token, "name": name, "hours": keys.OVERLAP // 3600}
        return str(self.render("keys.html", **shown))

    @expose("/", methods=("POST",))
    def additions(self) -> ResponseReturnValue:
        """The new key stands on this answer and nowhere else."""
        name, channel = (request.form.get(word, "").strip()[:80] for word in ("name", "channel"))
        rights: dict[str, Any] = {
            "scopes": request.form.getlist("scopes"),
            "channel": channel,
            "locations": request.form.get("locations", "").replace(",", " ").split()[:100],
            "per_minute": int(request.form["per_minute"]) if request.form.get("per_minute", "").isdigit() else 0,
        }
        try:
            with transaction() as tx:
                token = keys.make(tx, name, me().login, **rights)
                after = {**rights, "prefix": token[: keys.PREFIX]}
                actions.audit(tx, me().login, "make API key", f"key:{name}", "", after=after, address=_from())
        except ValueError as wrong:
            return back(str(wrong), "bad", "keys.index")
        return self._page(token, name)

    @expose("/<int:key>/successors", methods=("POST",))
    def successors(self, key: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            made = keys.rotate(tx, key, me().login)
            if made is None:
                abort(404)
            token, name = made
            after = {"prefix": token[: keys.PREFIX], "overlap_seconds": keys.OVERLAP}
            actions.audit(tx, me().login, "replace API key", f"key:{name}", why, after=after, address=_from())
        return self._page(token, name)

    @expose("/<int:key>/revocations", methods=("POST",))
    def revocations(self, key: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            gone = keys.revoke(tx, key)
            if gone is None:
                return back("That key had ended already.", "bad", "keys.index")
            actions.audit(tx, me().login, "revoke API key", f"key:{gone}", why, address=_from())
        return back(f"{gone} is refused from now on.", fallback="keys.index")


def _from() -> str:
    return request.remote_addr or ""
