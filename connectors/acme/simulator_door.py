"""The simulated Acme's door: who may come in, with which version, how often, and how it refuses."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify, request

from connectors.acme.simulator_limits import Counter
from connectors.acme.simulator_refusal import Refusal
from connectors.kit.simulator import Simulator

VERSIONS = ("2025-07", "2026-01")
TOKEN_SECONDS = 3600


@dataclass
class Door:
    """Operations are added through it: `on` checks token, version and limits before the handler is asked."""

    simulator: Simulator
    settings: Mapping[str, Any]
    counter: Counter
    tokens: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.simulator.operation("/v1/token", "token", ["POST"])(self._token)
        self.control("/_sim/tokens/expiry", self._expire_tokens, "POST")
        self.control("/_sim/quota", self._use_up, "PUT")

    def on(self, rule: str, name: str, method: str, handle: Callable[..., Any], write: bool = False) -> None:
        """Adds an operation; its name may take words from the rule: "{kind}.create"."""

        def answered(**args: Any) -> Response:
            told = name.format(**args)
            return self.simulator.answer(told, write, lambda: self._gated(told, lambda: handle(**args)))

        self.simulator.app.add_url_rule(rule, f"{method} {rule}", answered, methods=[method])

    def _gated(self, name: str, handle: Callable[[], Any]) -> Response:
        try:
            self._check_token()
            self._check_version()
            with self.counter.counted(name):
                return self._said(handle())
        except Refusal as refusal:
            return self._said((refusal.body, refusal.status), refusal.headers)

    def control(self, rule: str, handle: Callable[..., Any], method: str) -> None:
        """Adds a switch for whoever runs the simulator: no token, no limits, not in the log of calls."""

        def open_to_all(**args: Any) -> Any:
            try:
                return self._said(handle(**args))
            except Refusal as refusal:
                return self._said((refusal.body, refusal.status))

        self.simulator.app.add_url_rule(rule, f"{method} {rule}", open_to_all, methods=[method])

    def _said(self, answer: Any, headers: Mapping[str, str] | None = None) -> Response:
        body, status = answer if isinstance(answer, tuple) else (answer, 200)
        response = jsonify(body)
        response.status_code = status
        response.headers.update({"Acme-Version": VERSIONS[-1], **(headers or {})})
        return response

    def _check_token(self) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= time.time():
            raise Refusal(401, "invalid_token", "The access token is missing, unknown or expired.")

    def _check_version(self) -> None:
        version = request.headers.get("Acme-Version", "")
        if version not in VERSIONS:
            code, words = ("version_gone", "is served no more") if version else ("version_missing", "must be named")
            raise Refusal(410 if version else 400, code, f"Acme-Version {version} {words}.", "Acme-Version")

    def _token(self) -> Response:
        asked = {name: request.form.get(name, "") for name in ("client_id", "client_secret")}
        known = {name: self.settings.get(name, f"acme-{name}") for name in asked}
        if asked != known:
            return self._said(
                ({"error": {"code": "invalid_client", "message": "Unknown client or wrong secret."}}, 401)
            )
        seconds = float(self.settings.get("token_seconds", TOKEN_SECONDS))
        token = f"acme_at_{secrets.token_hex(12)}"
        self.tokens[token] = time.time() + seconds
        return self._said({"access_token": token, "expires_in": seconds})

    def _expire_tokens(self) -> Any:
        self.tokens.clear()
        return {}

    def _use_up(self) -> Any:
        """{"used_up": true}: every call is answered as at the end of the day's quota."""
        self.counter.used_up = bool(document().get("used_up"))
        return {}


def document() -> dict[str, Any]:
    """The request's JSON object; raises Refusal for anything else."""
    body = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise Refusal(400, "no_object", "The body must be a JSON object.")
    return body
