"""Processes whose clock is moved sleep by select: libfaketime 0.9.10 reckons the absolute sleep of Python's time.sleep from the moved clock (EINVAL)."""

import select
import time


def sleep(seconds: float) -> None:
    select.select((), (), (), seconds)


time.sleep = sleep
