"""Every process writes JSON lines with the waybill number where it is known, and tells Sentry of its faults."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from app import scrub

# gunicorn and celery set handlers of their own before we are asked.
OTHERS = "gunicorn.error gunicorn.access celery celery.task celery.worker celery.redirected werkzeug".split()
KEPT = frozenset("event level at face waybill account logger".split())  # not masked by their names


POSITIONAL = structlog.stdlib.PositionalArgumentsFormatter()


def setup(face: str) -> None:
    """JSON lines on stderr for this process (`face`: web, worker, beat, command), ours and the libraries' alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _named(face),
        _fault,
        _masked,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, POSITIONAL, *shared, _wrapped],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _ToStderr()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_plain, _line]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())
    for name in OTHERS:
        other = logging.getLogger(name)
        other.handlers.clear()
        other.propagate = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for told_twice in ("celery.app.trace", "celery.worker.strategy"):  # each step has a line of its own
        logging.getLogger(told_twice).setLevel(logging.WARNING)
    _watch(face)


class _ToStderr(logging.Handler):
    """To what stderr is at the moment of the line: it may be redirected after we began."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except (ValueError, OSError):  # a closed stderr must not stop the work
            return


def _named(face: str) -> Any:
    def add(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.setdefault("face", face)
        return line

    return add


def _fault(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A fault as its type, its words without values, and where it happened; never with local variables."""
    told = line.pop("exc_info", None)
    if not told:
        return line
    error = told if isinstance(told, BaseException) else (told[1] if isinstance(told, tuple) else sys.exc_info()[1])
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-12:]
        line["fault"] = f"{type(error).__module__}.{type(error).__qualname__}: {scrub.words(str(error))}"
        line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return line


def _masked(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if key.startswith("_"):
            continue
        line[key] = scrub.values(value, "" if key in KEPT else key)
    return line


def _wrapped(logger: Any, method: str, line: MutableMapping[str, Any]) -> Any:
    return structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, method, line)


def _plain(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, method, line)


def _line(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    return orjson.dumps(dict(line), default=str).decode()


def _watch(face: str) -> None:
    """Sentry for this process. Only the face's own integration is loaded: a worker must never load Flask."""
    if not os.environ.get("SENTRY_DSN"):
        return
    import sentry_sdk
    from sentry_sdk.integrations import Integration

    faces: list[Integration] = []
    if face == "web":
        from sentry_sdk.integrations.flask import FlaskIntegration

        faces.append(FlaskIntegration())
    if face in ("worker", "beat"):
        from sentry_sdk.integrations.celery import CeleryIntegration

        faces.append(CeleryIntegration())
    sentry_sdk.init(
        dsn=os.environ["SENTRY_DSN"],
        environment=os.environ.get("SENTRY_ENVIRONMENT", "production"),
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        auto_enabling_integrations=False,
        integrations=faces,
        before_send=_alarm,
        before_breadcrumb=lambda crumb, hint: None,
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        auto_session_tracking=False,
    )


TOLD = (
    "event_id timestamp platform level logger environment release server_name transaction sdk tags fingerprint type"
).split()


def _alarm(event: Any, hint: Any) -> Any:
    """What Sentry may know: where a fault is, its type, which waybill, account and step. Nothing else leaves."""
    told = {key: event[key] for key in TOLD if key in event}
    told["tags"] = {**dict(event.get("tags") or {}), **_bound()}
    if "request" in event:
        url = str(event["request"].get("url", "")).partition("?")[0]
        told["request"] = {"method": event["request"].get("method", ""), "url": scrub.words(url)}
    if "logentry" in event:
        told["logentry"] = {"message": scrub.words(str(event["logentry"].get("message", "")))}
    if "exception" in event:
        told["exception"] = {"values": [_raised(value) for value in event["exception"].get("values", ())]}
    return told


def _bound() -> dict[str, str]:
    bound = structlog.contextvars.get_contextvars()
    return {name: str(bound[name]) for name in ("waybill", "account", "step", "flow") if name in bound}


FRAME = "filename abs_path function module lineno in_app context_line pre_context post_context".split()


def _raised(value: Any) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames", ())
    kept = [{key: frame[key] for key in FRAME if key in frame} for frame in frames]
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "mechanism": {"type": "generic", "handled": False},
        "value": scrub.words(str(value.get("value", ""))),
        "stacktrace": {"frames": kept},
    }
