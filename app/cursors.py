"""What the database says of a fault names its rule, never the row: `Key (email)=(ana@...)` would go wherever an error's words go."""

from __future__ import annotations

import re
from typing import Any

import psycopg

# `invalid input syntax for type uuid: "what was told"`, `value "what was told" is out of range for type integer`.
# What a fault is about (a constraint, a column, a table) is quoted too, but after its kind and no colon.
VALUE = re.compile(r'(?<=: )".*"|(?<=\bvalue )".*"(?= is out of range)', re.DOTALL)


class Discreet(psycopg.Cursor[Any]):
    """A cursor whose errors keep the server's first sentence only, without the values in it.

    Detail, context and hint stay in the error's `diag` for who asks it; words are what logs, Sentry, Flower and cases repeat.
    https://www.postgresql.org/docs/18/protocol-error-fields.html
    """

    def execute(self, *args: Any, **more: Any) -> Discreet:
        try:
            super().execute(*args, **more)
        except psycopg.Error as error:
            _hush(error)
            raise
        return self

    def executemany(self, *args: Any, **more: Any) -> None:
        try:
            super().executemany(*args, **more)
        except psycopg.Error as error:
            _hush(error)
            raise


def _hush(error: psycopg.Error) -> None:
    """Errors of the driver itself (no connection, no text) have no fields, and no values."""
    if error.diag.message_primary is not None:
        error.args = (VALUE.sub('"***"', error.diag.message_primary),)
