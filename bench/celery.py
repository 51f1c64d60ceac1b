"""The shipped worker with one flow more (bench/flow.py): `python -m bench.celery` takes what `celery` takes."""

from __future__ import annotations

import sys

from celery.bin.celery import main as celery

from bench.flow import lay_down

if __name__ == "__main__":
    lay_down()
    sys.argv[0] = "celery"
    celery()
