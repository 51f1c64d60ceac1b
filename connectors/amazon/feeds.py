"""A feed is a document that Amazon works through by itself: stored, submitted, looked at until its report is there.

Source: developer-docs.amazon.com/sp-api/docs/feeds-api-v2021-06-30-use-case-guide.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError, fromstring

import simplejson

from connectors.amazon.client import Client
from connectors.amazon.refusals import OWNER, refused
from connectors.kit.errors import Rejected, Transient
from connectors.kit.writes import ExternalId, Job

OPEN = ("IN_QUEUE", "IN_PROGRESS")
AGAIN = 30.0  # seconds until an open feed is looked at again, unless the account says otherwise
MOST = 5_000_000  # bytes of a report


@dataclass(frozen=True, slots=True)
class Issue:
    """A line of a feed's report. `message` is the id within the feed, 0 where it is about the whole."""

    message: int
    code: str
    sentence: str
    error: bool
    field: str = ""


@dataclass(frozen=True)
class Feed:
    """Feeds of one kind."""

    client: Client
    type: str
    content_type: str

    def submit(self, content: bytes) -> Job:
        """Stores the document and submits it once. Only the last call does anything, so only it is in doubt."""
        made = self.client.create_document(self.content_type)
        self.client.upload(str(made["url"]), content, self.content_type)
        marketplaces = self.client.marketplaces
        return self._job(self.client.create_feed(self.type, str(made["feedDocumentId"]), marketplaces))

    def _job(self, feed_id: str) -> Job:
        return Job(feed_id, after=float(self.client.settings.get("feed_again", AGAIN)))

    def look(self, feed_id: str) -> list[Issue] | None:
        """The report's lines; None while Amazon is still at it. Raises Rejected where the feed ended without being done."""
        told = self.client.feed(feed_id)
        status = str(told.get("processingStatus", ""))
        if status in OPEN:
            return None
        if status not in ("DONE", "FATAL", "CANCELLED"):
            raise Transient(f"The feed {feed_id} is {status!r}, which Amazon does not document.", code="feed_status")
        result = told.get("resultFeedDocumentId")
        issues = self._report(str(result)) if result else []
        if status != "DONE":
            said = next((one.sentence for one in issues if one.error), "no reason")
            words = f"Amazon gave the feed {feed_id} up ({status.lower()}). Amazon says: {said}"
            raise Rejected(words, code=f"feed_{status.lower()}", remedy="Send it again.", owner=OWNER)
        return issues

    def ended(self, feed_id: str, done: ExternalId) -> ExternalId | Job:
        """What became of a feed of one message: `done`, or the same job. Raises Rejected with the report's first error."""
        issues = self.look(feed_id)
        if issues is None:
            return self._job(feed_id)
        bad = next((one for one in issues if one.error), None)
        if bad is not None:
            raise refused(bad.sentence, f"feed_{bad.code}" if bad.code else "feed", bad.field)
        return done

    def _report(self, document: str) -> list[Issue]:
        content = unpacked(*self.client.result(document))
        return list(json_issues(content) if content.lstrip()[:1] == b"{" else xml_issues(content))


def unpacked(content: bytes, compression: str) -> bytes:
    """GZIP or nothing, and no more than MOST of it."""
    if compression not in ("", "GZIP"):
        raise Transient(f"The report is compressed by {compression}, which is not documented.", code="feed_report")
    if not compression:
        return content
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = unpacker.decompress(content, MOST)
    except zlib.error as broken:
        raise Transient("The feed's report cannot be unpacked.", code="feed_report") from broken
    if not unpacker.eof and len(found) < MOST:
        raise Transient("The feed's report was cut short.", code="feed_report")
    return found


def json_issues(content: bytes) -> Iterator[Issue]:
    """Lines of a JSON_LISTINGS_FEED report (listings-feed-processing-report-schema-v2)."""
    try:
        told = simplejson.loads(content, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as broken:
        raise Transient("The feed's report is not the JSON that it should be.", code="feed_report") from broken
    for one in told.get("issues") or () if isinstance(told, Mapping) else ():
        error = one.get("severity") == "ERROR"
        said, field = str(one.get("message", "")), str(one.get("attributeName") or "")
        yield Issue(int(one.get("messageId") or 0), str(one.get("code") or ""), said, error, field)


def xml_issues(content: bytes) -> Iterator[Issue]:
    """Results of an order feed's ProcessingReport; what has no result was taken."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Transient("The feed's report declares entities, which no report does.", code="feed_report")
    try:
        report = fromstring(content)  # noqa: S314 - no declaration is let in
    except ParseError as broken:
        raise Transient("The feed's report is not the XML that it should be.", code="feed_report") from broken
    for one in report.iter("Result"):
        error = (one.findtext("ResultCode") or "").strip() == "Error"
        number = (one.findtext("MessageID") or "0").strip()
        said, code = one.findtext("ResultDescription") or "", one.findtext("ResultMessageCode") or ""
        yield Issue(int(number) if number.isdigit() else 0, code.strip(), said.strip(), error)
