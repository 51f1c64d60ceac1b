"""The API for partners without a connector: versioned, described by OpenAPI, behind keys with scopes and limits."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api  # type: ignore[import-untyped]

from app.web.api import availability, movements, orders, prices, reservations, returns, tills, webhooks

RESOURCES = (
    orders.resource,
    returns.resource,
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
            "description": "Orders, returns, till sales, prices and stock for channels, stores and partners that have no connector."
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
    },
}


class Described(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """Flask-Smorest's, with our own answers for what goes wrong."""

    def _register_error_handlers(self) -> None:
        """The admin's pages must not answer as the API does."""


def install(app: Flask) -> None:
    """Puts the API under /api/v1. Its callers hold keys, not sessions, so no form of theirs can be forged."""
    app.config.update(SETTINGS)
    described = Described(app)
    for resource in RESOURCES:
        described.register_blueprint(resource)
        app.extensions["csrf"].exempt(resource)
