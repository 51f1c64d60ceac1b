"""The gate: every page and action says which role it needs, and nothing is reached without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView  # type: ignore[import-untyped]
from flask_admin import expose as _expose
from flask_login import current_user

from app.journal.actions import ORIGIN
from app.web.people import Person

View = TypeVar("View", bound=Callable[..., Any])


def expose(url: str, methods: Iterable[str] = ("GET",)) -> Callable[[View], View]:
    """Flask-Admin's own, with types."""
    return cast(Callable[[View], View], _expose(url, methods))


def me() -> Person:
    """Who is asking; behind the gate there is always somebody."""
    return cast(Person, current_user)


def install(app: Flask) -> None:
    """Whatever is audited during a request bears the address that asked (believed from TRUSTED_PROXIES only)."""
    app.before_request(lambda: _from(request.remote_addr or ""))
    app.teardown_request(lambda error: _from(""))


def _from(address: str) -> None:
    ORIGIN.set(address)


class Page(BaseView):  # type: ignore[misc]  # Flask-Admin ships no types
    """A screen of the shell. `needs` names the role for each of its methods; what it does not name is for nobody."""

    needs: ClassVar[Mapping[str, str]] = {}

    def is_accessible(self) -> bool:
        """Whether the menu shows it."""
        return bool(current_user.is_authenticated and me().may(self.needs.get("index", "admin")))

    def _handle_view(self, name: str, **kwargs: Any) -> ResponseReturnValue | None:
        """Asked by Flask-Admin before each method."""
        if not current_user.is_authenticated:
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("door.login", next=back))
        role = self.needs.get(name)
        if role is None or not me().may(role):
            abort(403)
        return None

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Flask-Admin would call a method again after a TypeError inside it; an action must never run twice."""
        return fn(self, *args, **kwargs)
