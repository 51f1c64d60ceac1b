"""A throw-away copy of the checkout with some texts of its source replaced."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.failure.cuts import Cut
from local.servers import CHECKOUT

COPIED = ("app", "tasks", "connectors", "config", "migrations")


@contextmanager
def copied(cuts: Iterable[Cut]) -> Iterator[Path]:
    """A folder to run the Procfile in. Raises Gone when the text to be replaced is not there exactly once."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-copy-"))
    try:
        for name in COPIED:
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("fixtures", "__pycache__"))
        shutil.copy(CHECKOUT / "Procfile", folder)
        for cut in cuts:
            path = folder / cut.file
            path.write_text(cut.applied(path.read_text()))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
