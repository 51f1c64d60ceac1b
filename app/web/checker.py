"""Whether the configuration can be used: every finding names its file, its line and what to do about it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.catalogue import looks
from app.database import transaction
from app.journal.known import unknown
from app.orders.authority import MOVES
from app.orders.todo import SAYINGS
from app.stock import authority, rules
from config.reader import HERE, AccountEntry, Config, Wrong, read, wrong
from connectors import registry
from connectors.kit.errors import Owner
from connectors.kit.manifest import Manifest

ACCOUNTS = text("""
SELECT DISTINCT account FROM steps WHERE state = ANY('{waiting,ready,running,submitted,unknown,parked,dead}')
    AND account <> 'hub' ORDER BY account LIMIT 500
""")


def check(folder: Path) -> list[Wrong]:
    """Everything that is wrong with a folder of policy, in the environment of this process; empty when it is fit."""
    try:
        policy = read(folder)
    except Wrong as finding:
        return [finding]
    return [finding for look in LOOKS for finding in look(policy)]


def doubts(folder: Path) -> list[Wrong]:
    """What can be used as it stands, and is perhaps not meant; of a folder that can be used."""
    policy = read(folder)
    return [finding for look in DOUBTS for finding in look(policy)]


def _systems(policy: Config) -> Iterator[Wrong]:
    """Every account's connector is there, and its credentials are in the environment."""
    for name, entry in policy.accounts.items():
        manifest = registry.manifests().get(entry.connector)
        if manifest is None:
            known = ", ".join(registry.manifests())
            yield wrong(
                policy.folder,
                "accounts",
                f"[{name}]",
                f"{name} names the connector {entry.connector!r}, which is not here.",
                f"use one of: {known}",
            )
            continue
        yield from _credentials(policy, name, entry, manifest)
        yield from _secrets(policy, name, entry, manifest)


def _credentials(policy: Config, name: str, entry: AccountEntry, manifest: Manifest) -> Iterator[Wrong]:
    if not entry.base_url and not manifest.api:
        yield wrong(
            policy.folder,
            "accounts",
            f"[{name}]",
            f"{name} has no address.",
            "set base_url, or the variable that it is read from",
        )
    for credential in manifest.credentials:
        env = entry.credentials.get(credential)
        if env is None:
            yield wrong(
                policy.folder,
                "accounts",
                f"[{name}]",
                f"{name} lacks the credential {credential!r}.",
                f'add {credential} = "NAME_OF_A_VARIABLE" to its credentials',
            )
        elif not os.environ.get(env):
            yield wrong(
                policy.folder, "accounts", env, f"{env} ({name}: {credential}) is not in the environment.", f"set {env}"
            )
    for credential in entry.credentials:
        if credential not in manifest.credentials:
            yield wrong(
                policy.folder,
                "accounts",
                f"[{name}]",
                f"{name} gives {credential!r}, for which {entry.connector} does not ask.",
                f"use: {', '.join(manifest.credentials)}",
            )


def _secrets(policy: Config, name: str, entry: AccountEntry, manifest: Manifest) -> Iterator[Wrong]:
    """A system that pushes needs at least one secret that holds; a second, unset one is a rotation that has ended."""
    if manifest.secrets and not any(os.environ.get(secret.env) for secret in entry.webhook_secrets):
        named = ", ".join(secret.env for secret in entry.webhook_secrets) or "none named"
        yield wrong(
            policy.folder,
            "accounts",
            f"[{name}]",
            f"{name} has no webhook secret ({named}): every delivery would be refused.",
            "name one in webhook_secrets and set its variable",
        )


def _limits(policy: Config) -> Iterator[Wrong]:
    for name, entry in policy.accounts.items():
        manifest = registry.manifests().get(entry.connector)
        known = [limit.name for limit in manifest.limits] if manifest else []
        for limit in entry.limits:
            if manifest and limit not in known:
                yield wrong(
                    policy.folder,
                    "accounts",
                    limit,
                    f"{name} changes the limit {limit!r}, which {entry.connector} has not.",
                    f"use one of: {', '.join(known)}",
                )


def _places(policy: Config) -> Iterator[Wrong]:
    """Stock is told by place only where the channel keeps places apart, and each of our locations at one of them."""
    for name, table in policy.availability.get("channels", {}).items():
        if not table.get("places"):
            continue
        entry = policy.accounts.get(name)
        manifest = registry.manifests().get(entry.connector) if entry else None
        if manifest is None or not manifest.places:
            what = entry.connector if entry else "no account of that name"
            sentence = f"{name} ({what}) cannot be told of its stock by place."
            yield wrong(policy.folder, "availability", f"[channels.{name}.places]", sentence, "take the table away")
        try:
            rules.told_at(table["places"])
        except ValueError as twice:
            sentence = f"{name}: {twice}."
            yield wrong(policy.folder, "availability", f"[channels.{name}.places]", sentence, "name it once")


def _routes(policy: Config) -> Iterator[Wrong]:
    """Every account that a route names exists and can play the role."""
    for route in policy.routes:
        for role, named in route.roles.items():
            for account in [named] if isinstance(named, str) else named:
                yield from _plays(policy, route.name, role, account)
        origin = route.when.get("account", [])
        for account in [origin] if isinstance(origin, str) else origin:
            if account not in policy.accounts:
                yield wrong(
                    policy.folder,
                    "routes",
                    account,
                    f"route {route.name!r} waits for {account!r}, which no account is called.",
                    f"use one of: {', '.join(policy.accounts)}",
                )


def _plays(policy: Config, route: str, role: str, account: str) -> Iterator[Wrong]:
    entry = policy.accounts.get(account)
    if entry is None:
        yield wrong(
            policy.folder,
            "routes",
            account,
            f"route {route!r} gives {role} to {account!r}, which no account is called.",
            f"use one of: {', '.join(policy.accounts)}",
        )
        return
    manifest = registry.manifests().get(entry.connector)
    needed = PLAYED_AS.get(role, role)
    if manifest and needed not in manifest.roles:
        able = [
            name
            for name, other in policy.accounts.items()
            if (m := registry.manifests().get(other.connector)) and needed in m.roles
        ]
        yield wrong(
            policy.folder,
            "routes",
            account,
            f"route {route!r} gives {role} to {account}, but {entry.connector} plays {', '.join(manifest.roles)}.",
            f"use one of: {', '.join(able) or 'none can'}",
        )


PLAYED_AS = {"publish": "channel"}  # who is told of stock is a channel


def _rows(policy: Config) -> Iterator[Wrong]:
    """Open work names steps and accounts that are known here; asked only where a database is configured."""
    if not os.environ.get("DATABASE_URL"):
        return
    try:
        with transaction() as tx:
            steps = unknown(tx, known_steps())
            accounts = list(tx.execute(ACCOUNTS).scalars())
    except SQLAlchemyError as error:
        yield Wrong(
            "DATABASE_URL", 1, f"the database cannot be asked: {type(error).__name__}.", "start it, and migrate it"
        )
        return
    for step in steps:
        yield Wrong(
            "tasks/flows",
            1,
            f"open steps are called {step}, which this code does not know.",
            "let the older version finish them, or give them up in the admin",
        )
    for account in accounts:
        if account not in policy.accounts:
            yield wrong(
                policy.folder,
                "accounts",
                account,
                f"open steps are for {account!r}, which no account is called.",
                "put the account back until they are done",
            )


def known_steps() -> Mapping[str, tuple[str, ...]]:
    """Flow -> the names of its steps. Loaded by name: only this command, a process of its own, ever sees both faces."""
    flows: Mapping[str, Any] = import_module("tasks.flows.book").FLOWS
    return {name: tuple(_names(flow)) for name, flow in flows.items()}


def _names(flow: Any) -> Iterator[str]:
    for step in flow.steps:
        yield step.name
        if step.undo is not None:
            yield step.undo.__name__


RULE = (
    "allocation",
    "places",
    "buffer",
    "location_buffer",
    "threshold",
    "most",
    "exclude_locations",
    "exclude_skus",
    "lead_days",
)


def _availability(policy: Config) -> Iterator[Wrong]:
    """Every rule of availability has known keys and figures that can be; the degraded mode promises no more as the word ages."""
    tables = {"default": policy.availability.get("default", {}), **policy.availability.get("channels", {})}
    for name, table in tables.items():
        for key in table:
            if key not in RULE:
                known = ", ".join(RULE)
                yield wrong(
                    policy.folder, "availability", key, f"{name} has an unknown key {key!r}.", f"use one of: {known}"
                )
        if not 0 <= table.get("allocation", 1) <= 1:
            yield wrong(
                policy.folder, "availability", "allocation", f"{name}: a share is 0 to 1.", "say 0.5 for a half"
            )
    degraded = policy.availability.get("degraded", {})
    if not (0 <= degraded.get("floor", 0) <= 1 and degraded.get("fresh", 0) <= degraded.get("most_age", 0)):
        sentence = "the floor is a share, and fresh is no longer than most_age."
        yield wrong(policy.folder, "availability", "[degraded]", sentence, "say floor 0 to 1, and fresh below most_age")


PREORDER = ("from", "most")


def _preorders(policy: Config) -> Iterator[Wrong]:
    """Every preorder has a release date that is an instant, and a limit in whole pieces."""
    for sku, table in policy.availability.get("preorders", {}).items():
        for sentence, remedy in _wrong_preorder(table):
            yield wrong(policy.folder, "availability", sku, f"preorder {sku!r}: {sentence}.", remedy)


def _wrong_preorder(table: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(table, Mapping):
        yield "it is no table", 'write [preorders."SKU"] with from and most'
        return
    since, most = table.get("from"), table.get("most")
    for key in table:
        if key not in PREORDER:
            yield f"it has an unknown key {key!r}", f"use one of: {', '.join(PREORDER)}"
    if not isinstance(since, datetime) or since.tzinfo is None:
        yield "from is no instant with its offset", "write from = 2026-12-01T00:00:00Z, without quotes"
    if type(most) is not int or most < 1:
        yield "most is no number of pieces", "write most = 200"


def _stock_owners(policy: Config) -> Iterator[Wrong]:
    """Only facts that there are can have an owner."""
    for fact in policy.authority.get("stock", {}).get("facts", {}):
        if fact not in (*authority.QUANTITIES, *authority.FACTS):
            known = ", ".join((*authority.QUANTITIES, *authority.FACTS))
            yield wrong(policy.folder, "authority", fact, f"stock has no fact {fact!r}.", f"use one of: {known}")


def _named_owners(policy: Config) -> Iterator[Wrong]:
    """Whom connectors name, somebody is."""
    told = policy.owners
    known = {
        told.get("default"),
        *told.get("names", {}),
        *told.get("codes", {}).values(),
        *told.get("roles", {}).values(),
    }
    for owner in get_args(Owner):
        if owner and owner not in known:
            sentence = f"connectors give cases to {owner!r}, and nobody is called so."
            yield wrong(policy.folder, "owners", "[names]", sentence, f'add "{owner}" = "..." to [names]')


def _sections(policy: Config) -> Iterator[Wrong]:
    """Every kind of fact of which somebody can be the owner has a section."""
    for section in tomllib.loads((HERE / "authority.toml").read_text()):
        if section not in policy.authority:
            sentence = f"there is no section [{section}]: who owns such facts is not said."
            remedy = "copy the section from config/authority.toml as shipped, and name the owner"
            yield wrong(policy.folder, "authority", f"[{section}]", sentence, remedy)


RETURN_WORDS = ("receive", "restock", "scrap")


def _transitions(policy: Config) -> Iterator[Wrong]:
    """A move that there is not would have an owner whom nobody asks."""
    said = {f"fulfilment.{event}" for event, _ in SAYINGS.values()} | {f"return.{word}" for word in RETURN_WORDS}
    known = {fact for fact, _, _ in MOVES} | said
    for move in policy.authority.get("transitions", {}):
        if move not in known:
            remedy = f"use one of: {', '.join(sorted(known))}"
            yield wrong(policy.folder, "authority", move, f"there is no move {move!r}.", remedy)


def _price_sources(policy: Config) -> Iterator[Wrong]:
    """A catalogue that is looked at can be; where several feeds tell prices, one account or role owns each list's."""
    sources = policy.prices.get("sources", {})
    for name, table in sources.items():
        entry = policy.accounts.get(name)
        manifest = registry.manifests().get(entry.connector) if entry is not None else None
        if manifest is None or "CatalogueSource" not in manifest.offers:
            sentence = f"{name!r} is no account with a catalogue to look at."
            yield wrong(
                policy.folder, "prices", f"[sources.{name}]", sentence, "name an account that offers CatalogueSource"
            )
        for key in table:
            if key not in looks.DEFAULTS:
                known = ", ".join(looks.DEFAULTS)
                yield wrong(policy.folder, "prices", key, f"{name} has an unknown key {key!r}.", f"use one of: {known}")
    yield from _price_owners(policy, [name for name, table in sources.items() if table.get("prices", True)])


def _price_owners(policy: Config, sources: list[str]) -> Iterator[Wrong]:
    told = policy.authority.get("price", {})
    owners = {**told.get("lists", {}), "": told.get("owner", "")}
    roles = {role for route in policy.routes for role in route.roles}
    for named in owners.values():
        if not isinstance(named, str) or (named and named not in policy.accounts and named not in roles):
            yield wrong(
                policy.folder,
                "authority",
                "[price",
                f"{named!r} cannot own prices.",
                "name one account, or one role of a route",
            )
    feeds = [*sources, *(name for name, entry in policy.accounts.items() if entry.base_url and _has_files(entry))]
    if len(feeds) > 1 and not owners[""]:
        sentence = f"{', '.join(feeds)} all tell prices, and nobody is declared to own them."
        yield wrong(policy.folder, "authority", "[price]", sentence, 'say owner = "..." under [price]')


def _has_files(entry: AccountEntry) -> bool:
    manifest = registry.manifests().get(entry.connector)
    return manifest is not None and "FileSource" in manifest.offers


LOOKS: tuple[Callable[[Config], Iterator[Wrong]], ...] = (
    _systems,
    _limits,
    _routes,
    _rows,
    _availability,
    _places,
    _preorders,
    _stock_owners,
    _transitions,
    _price_sources,
    _named_owners,
)
DOUBTS: tuple[Callable[[Config], Iterator[Wrong]], ...] = (_sections,)
