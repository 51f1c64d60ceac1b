"""The API for partners without a connector: versioned, described by OpenAPI, behind keys with scopes and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from flask_smorest import Api  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from app.journal.actions import ORIGIN
from app.web.api import (
    availability,
    fulfilments,
    movements,
    orders,
    papers,
    prices,
    problems,
    reservations,
    returns,
    tills,
    webhooks,
)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
LARGEST = 1_000_000  # bytes of a request
RESOURCES = (
    orders.resource,
    returns.resource,
    papers.resource,
    fulfilments.resource,
    tills.resource,
    webhooks.resource,
    prices.resource,
    availability.resource,
    reservations.resource,
    movements.resource,
)
SETTINGS = {
    "API_TITLE": "Waybill",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/api/v1",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Orders, requests to stores and suppliers, returns, till sales, prices and stock for partners that have no connector."
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
    },
}


class Described(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """Flask-Smorest's, with our own answers for what goes wrong."""

    def _register_error_handlers(self) -> None:
        """Ours are registered below: one shape of answer, whoever raised it."""


class NoSession(SessionInterface):
    """Callers hold keys: nothing is read from a cookie, and none is set."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing to save."""


HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


def create() -> Flask:
    """The API as an application of its own: what the admin asks of every request (session, CSRF, brake, theme) is on no partner's way."""
    app = Flask("waybill.api", static_folder=None)
    app.config.update(SETTINGS, MAX_CONTENT_LENGTH=LARGEST)
    app.session_interface = NoSession()
    app.before_request(lambda: _from(request.remote_addr or ""))
    app.after_request(_told)
    described = Described(app)
    for resource in RESOURCES:
        described.register_blueprint(resource)
    app.register_error_handler(HTTPException, problems.answer)
    return app


def _from(address: str) -> None:
    ORIGIN.set(address)


def _told(response: Response) -> Response:
    response.headers.extend(HEADERS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


class Door:
    """Answers /api/ before the admin's application is asked."""

    def __init__(self, rest: Wsgi, api: Flask) -> None:
        self._rest, self._api = rest, api

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        inside = environ.get("PATH_INFO", "").startswith("/api/")
        return (self._api.wsgi_app if inside else self._rest)(environ, start)
