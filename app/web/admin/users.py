"""People: who may come in, and as what."""

from __future__ import annotations

from typing import ClassVar

from flask import request
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.journal import actions
from app.web import people
from app.web.admin.asking import back
from app.web.admin.gate import Page, expose, me


class Users(Page):
    needs: ClassVar = {"index": "admin", "additions": "admin", "changes": "admin"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        with transaction() as tx:
            everybody = people.everybody(tx)
        return str(self.render("users.html", everybody=everybody, roles=people.ROLES, shortest=people.SHORTEST))

    @expose("/", methods=("POST",))
    def additions(self) -> ResponseReturnValue:
        login, password, role = (request.form.get(name, "") for name in ("login", "password", "role"))
        try:
            with transaction() as tx:
                people.keep(tx, login.strip(), password, role)
                actions.audit(tx, me().login, "set login", f"user:{login.strip()}", "", after={"role": role})
        except ValueError as wrong:
            return back(str(wrong), "bad", "users.index")
        return back(f"{login.strip()} may come in as {role}.", fallback="users.index")

    @expose("/<login>/changes", methods=("POST",))
    def changes(self, login: str) -> ResponseReturnValue:
        role, active = request.form.get("role", ""), request.form.get("active") == "1"
        if login == me().login:
            return back("Nobody changes their own role: ask another administrator.", "bad", "users.index")
        try:
            with transaction() as tx:
                people.change(tx, login, role, active)
                actions.audit(
                    tx, me().login, "change login", f"user:{login}", "", after={"role": role, "active": active}
                )
        except ValueError as wrong:
            return back(str(wrong), "bad", "users.index")
        return back(f"{login} is {role}, {'active' if active else 'shut out'}.", fallback="users.index")
