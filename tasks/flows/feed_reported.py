"""A file of a feed is answered by a report beside it, and moved away."""

from __future__ import annotations

from connectors.kit.capabilities import FileSource
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import FeedFile, Flow, Outer


def put_report(file: FeedFile, source: FileSource, work: Work) -> Writes:
    return source.put_report(file.name, work.report(file.run), key=work.key)


def archive_file(file: FeedFile, source: FileSource, work: Work) -> Writes:
    return source.archive(file.name, file.content, key=work.key)


FLOW: Flow = Flow(
    "feed_reported",
    on=None,
    document=FeedFile,
    version=1,
    steps=(
        Outer(put_report, role="source", plays=FileSource),
        Outer(archive_file, role="source", plays=FileSource, after=(put_report,)),
    ),
)
