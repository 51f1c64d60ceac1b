"""Coming in and going out: a login with a brake on guessing, and a logout."""

from __future__ import annotations

import os
import time

import structlog
from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from wtforms import PasswordField, StringField  # type: ignore[import-untyped]
from wtforms.validators import DataRequired, Length  # type: ignore[import-untyped]

from app.database import transaction
from app.journal import actions
from app.web import people
from app.web.admin import asking
from app.web.admin.gate import me

door = Blueprint("door", __name__, url_prefix="/admin")
brake = Limiter(key_func=get_remote_address, default_limits=[])
log = structlog.get_logger("waybill.door")
LONGEST = 12 * 3600  # seconds from a login to the end of its session ...
IDLE = 2 * 3600  # ... or from the last page that was asked for
NOTED = 60  # how exactly that is known: the cookie is not written at every page


class LoginForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    login = StringField(
        "Login", [DataRequired(), Length(max=80)], render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(
        "Password", [DataRequired(), Length(max=200)], render_kw={"autocomplete": "current-password"}
    )


def install(app: Flask) -> None:
    """Sessions and the brake; the brake counts in Redis, and in each process while Redis is away."""
    app.config.update(
        RATELIMIT_STORAGE_URI=os.environ.get("REDIS_URL", "memory://"),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_KEY_PREFIX="waybill:door",
    )
    brake.init_app(app)
    manager = LoginManager(app)
    manager.login_view = "door.login"
    manager.user_loader(people.by_session)
    app.before_request(_expire)
    app.register_blueprint(door)


def _expire() -> None:
    """A session ends so long after its login, and when nobody used it for so long; its cookie alone does not decide."""
    if "_user_id" not in session:
        return
    now = time.time()
    if now - session.get("since", 0) > LONGEST or now - session.get("seen", 0) > IDLE:
        session.clear()
    elif now - session["seen"] > NOTED:
        session["seen"] = now


@door.route("/login", methods=["GET", "POST"])
@brake.limit("10 per minute; 60 per hour", methods=["POST"], deduct_when=lambda response: response.status_code != 302)
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("admin.index"))
    form = LoginForm()
    if not form.validate_on_submit():
        return render_template("door.html", form=form)
    known = people.enter(form.login.data.strip(), form.password.data)
    if known is None:
        log.warning("a login failed", address_known=bool(request.remote_addr))
        flash("That login and password do not fit, or the login is locked for a few minutes.", "bad")
        return render_template("door.html", form=form), 401
    session.clear()  # nothing that was in it before, a CSRF token that somebody else may know included
    login_user(known)
    session.update(since=time.time(), seen=time.time())
    with transaction() as tx:
        actions.audit(tx, known.login, "log in", f"user:{known.login}", "", address=request.remote_addr or "")
    return redirect(asking.inside(request.args.get("next", ""), "admin.index"))


@door.post("/logout")
def logout() -> ResponseReturnValue:
    if current_user.is_authenticated:
        with transaction() as tx:
            people.leave(tx, me().login)
            actions.audit(tx, me().login, "log out", f"user:{me().login}", "", address=request.remote_addr or "")
        logout_user()
        session.clear()
    return redirect(url_for("door.login"))
