"""A resource of the API: Flask-Smorest's blueprint, with types, and with the scope that each of its acts needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from flask_smorest import Blueprint  # type: ignore[import-untyped]

from app.web.api import door, problems
from app.web.api.schemas import ProblemShape

View = TypeVar("View", bound=Callable[..., Any])
PROBLEM = "application/problem+json"
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "The caller's own name of this request: sent again under it, it is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
}
CODES = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503)
REFUSALS = (400, 401, 403, 422, 429)  # any act may be answered so


class Resource(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """`resource.on("POST", "/", scope, takes=Schema, answers={201: Schema})` above a view. Views answer in JSON themselves."""

    def __init__(self, name: str, module: str, url_prefix: str, description: str) -> None:
        super().__init__(name, module, url_prefix=url_prefix, description=description)
        self.before_request(door.enter)
        self.after_request(door.leave)
        self.register_error_handler(problems.Problem, problems.answer)
        for away in problems.AWAY:
            self.register_error_handler(away, problems.away)
        for code in CODES:
            self.register_error_handler(code, problems.answer)

    def on(
        self,
        method: str,
        path: str,
        scope: str,
        answers: dict[int, Any],
        takes: Any = None,
        place: str = "json",
        once: bool = False,
        also: Sequence[dict[str, Any]] = (),
    ) -> Callable[[View], View]:
        """`once`: the request bears an Idempotency-Key. `also`: further parameters, as OpenAPI describes them."""

        def told(view: View) -> View:
            made: Any = door.needs(scope)(view)
            for status, schema in [*answers.items(), *((refusal, ProblemShape) for refusal in REFUSALS)]:
                kind = PROBLEM if schema is ProblemShape else None
                made = self.alt_response(status, schema=schema, content_type=kind)(made)
            made = self.arguments(takes(), location=place)(made) if takes else made
            return cast(View, self.route(path, methods=[method], parameters=[*([KEY] if once else ()), *also])(made))

        return told
