"""A small file that is there whole or as it was before: whoever is killed while he writes leaves no half of it."""

import os
from pathlib import Path


def keep(file: Path, text: str, mode: int = 0o644) -> None:
    """Written beside, then renamed over what stood there. `mode` 0o600 for what nobody else may read."""
    half = file.with_name(f"{file.name}.half")
    half.unlink(missing_ok=True)
    half.touch(mode=mode)
    half.write_text(text)
    os.replace(half, file)


def secret(file: Path, text: str) -> None:
    keep(file, text, 0o600)
