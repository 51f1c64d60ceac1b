"""The people who may look and act: their roles, their passwords, and what happens when a password is guessed at."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, text
from werkzeug.security import check_password_hash, generate_password_hash

from app.database import transaction
from app.journal.reading.rows import found, listed

ROLES = ("viewer", "support", "operator", "admin")  # each may do what those before it may
GUESSES = 5  # wrong passwords in a row before the login is locked ...
LOCKED = 300  # ... for so many seconds
SHORTEST = 12  # characters of a password

COLUMNS = "login, password, role, active, failed, locked_until, created_at, mark"
ONE = text(f"SELECT {COLUMNS} FROM users WHERE login = :login")  # noqa: S608 - our own texts
ALL = text(f"SELECT {COLUMNS} FROM users ORDER BY login LIMIT 500")  # noqa: S608
LEAVE = text("UPDATE users SET mark = :mark WHERE login = :login")
WRONG = text("""
UPDATE users SET failed = failed + 1,
    locked_until = CASE WHEN failed + 1 >= :most THEN now() + make_interval(secs => :seconds) ELSE locked_until END
WHERE login = :login
""")
RIGHT = text("UPDATE users SET failed = 0, locked_until = NULL WHERE login = :login AND failed > 0")
KEEP = text("""
INSERT INTO users (login, password, role) VALUES (:login, :password, :role)
ON CONFLICT (login) DO UPDATE SET password = excluded.password, role = excluded.role, active = true, failed = 0,
    locked_until = NULL
""")
FIRST = text(
    "INSERT INTO users (login, password, role) VALUES (:login, :password, 'admin') ON CONFLICT (login) DO NOTHING"
)
CHANGE = text("UPDATE users SET role = :role, active = :active WHERE login = :login")
IS_LOCKED = text("SELECT 1 FROM users WHERE login = :login AND locked_until > now()")


@dataclass(frozen=True, slots=True)
class Person:
    """A row of users; also what flask-login asks (https://flask-login.readthedocs.io/en/latest/#your-user-class)."""

    login: str
    password: str
    role: str
    active: bool
    failed: int
    locked_until: datetime | None
    created_at: datetime
    mark: str = ""

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        """The login with a mark of the password and of the last logout: changing either ends all sessions."""
        return f"{self.login}|{hashlib.sha256(f'{self.password}|{self.mark}'.encode()).hexdigest()[:32]}"

    def may(self, role: str) -> bool:
        """Whether this role includes `role`."""
        return ROLES.index(self.role) >= ROLES.index(role) if self.role in ROLES else False


def person(tx: Connection, login: str) -> Person | None:
    return found(tx, Person, ONE, login=login)


def by_session(session_id: str) -> Person | None:
    """Who a session belongs to; None when they are gone, inactive, or have another password now."""
    with transaction() as tx:
        known = person(tx, session_id.rpartition("|")[0])
    return known if known is not None and known.active and known.get_id() == session_id else None


def everybody(tx: Connection) -> tuple[Person, ...]:
    return listed(tx, Person, ALL)


def enter(login: str, password: str) -> Person | None:
    """Who this is; None for a wrong password, a locked or inactive login, or nobody: the answer does not tell which."""
    with transaction() as tx:
        known = person(tx, login)
        locked = tx.execute(IS_LOCKED, {"login": login}).scalar() is not None
    right = check_password_hash(known.password if known else _nobody(), password)
    if known is None or locked or not known.active:
        return None
    with transaction() as tx:
        tx.execute(
            RIGHT if right else WRONG, {"login": login, **({} if right else {"most": GUESSES, "seconds": LOCKED})}
        )
    return known if right else None


def leave(tx: Connection, login: str) -> None:
    """Ends every session of a login, also one whose cookie somebody has copied."""
    tx.execute(LEAVE, {"login": login, "mark": secrets.token_hex(16)})


@cache
def _nobody() -> str:
    """Compared with when there is no such login, so that the time taken does not tell."""
    return generate_password_hash("nobody")


def keep(tx: Connection, login: str, password: str, role: str) -> None:
    """Adds a person, or gives one another password and role. Raises ValueError saying what is wrong."""
    if not login or len(login) > 80 or not login.isprintable() or "|" in login:
        raise ValueError("A login has 1 to 80 printable characters and no bar.")
    if len(password) < SHORTEST:
        raise ValueError(f"A password has at least {SHORTEST} characters.")
    if role not in ROLES:
        raise ValueError(f"A role is one of: {', '.join(ROLES)}.")
    tx.execute(KEEP, {"login": login, "password": generate_password_hash(password), "role": role})


def change(tx: Connection, login: str, role: str, active: bool) -> None:
    """Gives a person another role, or takes the login away. Raises ValueError for an unknown role."""
    if role not in ROLES:
        raise ValueError(f"A role is one of: {', '.join(ROLES)}.")
    tx.execute(CHANGE, {"login": login, "role": role, "active": active})


def ensure_admin() -> None:
    """Makes the first administrator from ADMIN_LOGIN (default `admin`) and ADMIN_PASSWORD, once; never changes one."""
    password = os.environ.get("ADMIN_PASSWORD", "")
    if not password:
        return
    login = os.environ.get("ADMIN_LOGIN", "admin")
    with transaction() as tx:
        if person(tx, login) is None:
            tx.execute(FIRST, {"login": login, "password": generate_password_hash(password)})
