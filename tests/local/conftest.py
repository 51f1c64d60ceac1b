"""Data roots for tests of the ground: each test gets new ones, and none is left."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.servers import Servers, start, stop_left_behind, temporary
from local.user import forget, place


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Servers of our own, whatever the environment configures: these tests kill them."""
    with temporary(environ={}) as running:
        yield running


@pytest.fixture
def new_root() -> Iterator[Callable[[], Path]]:
    """Makes data roots that are stopped and forgotten after the test."""
    roots: list[Path] = []

    def make() -> Path:
        roots.append(place(Path(tempfile.mkdtemp(prefix="waybill-"))))
        return roots[-1]

    yield make
    for root in roots:
        stop_left_behind(root)
        forget(root)


@pytest.fixture
def root(new_root: Callable[[], Path]) -> Path:
    return new_root()


@pytest.fixture
def begin() -> Iterator[Callable[[Path], Servers]]:
    """Starts servers on a root; they are stopped after the test."""
    started: list[Servers] = []

    def on(root: Path) -> Servers:
        started.append(start(root, environ={}))
        return started[-1]

    yield on
    for servers in started:
        servers.stop()
