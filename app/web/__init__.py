"""The web face: deliveries come in by it, people look at the journal through it, monitors ask it how things are."""

from __future__ import annotations

import os
from datetime import timedelta

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from app import logs
from app.database import engine
from app.web import admin, api, people
from app.web.health import health
from app.web.webhooks import Hooks
from app.web.where import where


def create_app() -> Flask:
    """The application for gunicorn. Settings come from the environment (docs/operations.md).

    SECRET_KEY signs the sessions; PUBLIC_URL is the address vendors were given; TRUSTED_PROXIES is how many proxies
    stand in front (X-Forwarded-* is believed from so many only); PLAIN_HTTP=1 lets the login work without TLS.
    """
    logs.setup("web")
    _let_in()
    app = Flask(__name__, static_url_path="/assets")
    app.config.update(
        SECRET_KEY=_needed("SECRET_KEY"),
        MAX_CONTENT_LENGTH=api.LARGEST,
        SESSION_COOKIE_NAME="waybill",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=os.environ.get("PLAIN_HTTP") != "1",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
    )
    app.register_blueprint(health)
    admin.install(app)
    app.register_blueprint(where)
    app.extensions["api"] = api.create()
    app.wsgi_app = api.Door(app.wsgi_app, app.extensions["api"])  # type: ignore[assignment, method-assign]
    app.wsgi_app = Hooks(app.wsgi_app, os.environ.get("PUBLIC_URL", ""))  # type: ignore[assignment, method-assign]
    proxies = int(os.environ.get("TRUSTED_PROXIES", "0"))
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app


def _let_in() -> None:
    """The first administrator, from ADMIN_LOGIN and ADMIN_PASSWORD; a database that is away is no reason not to start."""
    try:
        people.ensure_admin()
    except SQLAlchemyError as error:
        structlog.get_logger("waybill.web").warning("the first admin could not be made", fault=type(error).__name__)
    finally:
        engine().dispose()  # receivers are forked from this process (gunicorn --preload): each opens connections of its own


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set. Remedy: give all web processes the same long random {name}.")
    return value
