"""A process with a moved clock sleeps by select: libfaketime 0.9.10 reckons Python's absolute time.sleep from the moved clock (EINVAL)."""

import select
import time


def sleep(seconds: float) -> None:
    select.select((), (), (), seconds)


time.sleep = sleep  # type: ignore[assignment]
