"""Forget a checkout's running data: end what was left behind, then remove var/."""

import os
import shutil
import sys
from pathlib import Path

from local.errors import ServerError
from local.lock import Lock
from local.processes import end_left_behind
from local.servers import CHECKOUT, ROOT, stop_left_behind
from local.user import forget, place


def main() -> None:
    """Refuses while a supervisor holds the data root; otherwise nothing is left of it."""
    root = Path(os.environ.get("WAYBILL_SERVERS", ROOT))
    try:
        chosen = place(root)
        lock = Lock(chosen)
        stop_left_behind(chosen)
    except ServerError as problem:
        sys.exit(str(problem))
    end_left_behind(CHECKOUT / "var")
    forget(root)
    shutil.rmtree(CHECKOUT / "var", ignore_errors=True)
    lock.release()


if __name__ == "__main__":
    main()
