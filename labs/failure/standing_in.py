"""The hub of a scenario on other addresses than its stage's own: behind a proxy, on another server, on a small disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import make_url

from app.database import migrate
from labs.failure import policy
from labs.failure.proxy import Proxy
from labs.failure.stage import Stage, prepare, wait

LINES = ("web", "worker", "beat")


def start(stage: Stage, environ: Mapping[str, str], lines: tuple[str, ...] = LINES) -> None:
    """Starts the Procfile's lines with these variables, and lets the lab and its judge follow them (scenarios with Lab(lines=()))."""
    os.environ.update(environ)
    forget()
    migrate()
    prepare()
    for name in lines:
        stage.processes.start(name, exported(environ, stage.lines[name]))
        wait(stage, name)


def exported(environ: Mapping[str, str], line: str) -> str:
    """A line of the Procfile with variables of its own."""
    return "".join(f"export {name}='{value}'; " for name, value in environ.items()) + line


def forget() -> None:
    """The lab's own pools and clients of another address."""
    from app.database import engine
    from app.journal import accept
    from tasks.engine import connecting

    for pool in accept.pools():
        pool.close()
    engine().dispose()
    caches: tuple[Any, ...] = (engine, accept._pool, connecting._limiter)
    for cached in caches:
        cached.cache_clear()


def before(stage: Stage, url: str) -> tuple[Proxy, str]:
    """A proxy before the server of an address, and the address as the hub knows it."""
    named = make_url(url)
    assert named.host
    assert named.port
    made = Proxy((named.host, named.port))
    stage.closing.callback(made.close)
    return made, named.set(port=made.port).render_as_string(hide_password=False)


def vendors(stage: Stage, *roles: str) -> dict[str, Proxy]:
    """A proxy before each system, as accounts.toml names them from now on; before the hub is started."""
    made = {role: before(stage, stage.systems.addresses[role]) for role in roles}
    addresses = {**stage.systems.addresses, **{role: url for role, (_, url) in made.items()}}
    policy.write(stage.folder / "config", addresses, stage.scenario.lab)
    return {role: proxy for role, (proxy, _) in made.items()}
