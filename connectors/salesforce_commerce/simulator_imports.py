"""Imports of the simulated instance: an archive laid by WebDAV, read by a job that runs by itself."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

from flask import Response, request

from connectors.salesforce_commerce.pricebook import NAMESPACE
from connectors.salesforce_commerce.simulator_http import Json, body, nothing, only, said
from connectors.salesforce_commerce.simulator_orders import Handle
from connectors.salesforce_commerce.simulator_refusal import Refused
from connectors.salesforce_commerce.simulator_site import Site, stamp

JOB = "sfcc-site-archive-import"


class Imports:
    """`files` is the folder Impex/src/instance; one execution runs at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.files: dict[str, bytes] = {}
        self.seen: list[bytes] = []  # every price book file that came, as it came
        self._runs: dict[str, Json] = {}

    # ---- WebDAV

    def put(self, name: str) -> Response:
        known = name in self.files
        self.files[name] = request.get_data()
        return nothing(204 if known else 201)

    def delete(self, name: str) -> Response:
        if self.files.pop(name, None) is None:
            return nothing(404)
        return nothing()

    # ---- the job

    def start(self, job: str) -> Response:
        if job != JOB:
            raise Refused(404, f"No job '{job}'.", "JobNotFoundException")
        wanted = body()
        only(wanted, ("file_name", "mode"), ("file_name",))
        if any(self._running(run) for run in self._runs.values()):
            raise Refused(400, "The job is running already.", "JobAlreadyRunningException")
        run = {"id": str(uuid.uuid4().int)[:9], "file": wanted["file_name"], "ends": self._site.wait(), "exit": None}
        self._runs[run["id"]] = run
        return said(self._shown(run))

    def get(self, job: str, execution: str) -> Response:
        if execution not in self._runs or job != JOB:
            raise Refused(404, f"No execution '{execution}'.", "JobExecutionNotFoundException")
        return said(self._shown(self._runs[execution]))

    def _running(self, run: Json) -> bool:
        if run["exit"] is None and time.monotonic() >= run["ends"]:
            with self._site.memory.lock:
                run["exit"] = self._read(run["file"])
        return run["exit"] is None

    def _shown(self, run: Json) -> Json:
        running = self._running(run)
        told = {"_v": "25.6", "_type": "job_execution", "id": run["id"], "job_id": JOB}
        if running:
            return {**told, "execution_status": "running", "status": "running"}
        state, message = run["exit"]
        ended = {"status": "ok" if state == "OK" else "error", "code": state, "message": message}
        return {
            **told,
            "execution_status": "finished",
            "status": state,
            "exit_status": ended,
            "end_time": stamp(self._site.now()),
        }

    def _read(self, name: str) -> tuple[str, str]:
        try:
            rows = [row for file in self._price_books(name) for row in entries(file)]
        except (KeyError, ValueError, zipfile.BadZipFile, Xml.ParseError) as error:
            return "ERROR", f"The archive {name} cannot be imported: {error}"
        self._site.import_prices(rows)
        return "OK", "Success"

    def _price_books(self, name: str) -> Iterator[bytes]:
        with zipfile.ZipFile(io.BytesIO(self.files[name])) as packed:
            folder = name.removesuffix(".zip")
            for one in packed.namelist():
                if not one.startswith(f"{folder}/pricebooks/"):
                    raise ValueError(f"{one} is not where an import looks")
                found = packed.read(one)
                self.seen.append(found)
                yield found


def entries(file: bytes) -> Iterator[Json]:
    """The prices of a file, those of another price book than its header's never."""
    root = Xml.fromstring(file)  # noqa: S314 - the simulator reads what our own client wrote
    for book in root.findall(_tag("pricebook")):
        header = book.find(_tag("header"))
        if header is None:
            raise ValueError("a price book has no header")
        for table in book.iter(_tag("price-table")):
            yield from _rows(header, table)


def _rows(header: Any, table: Any) -> Iterator[Json]:
    for amount in table.findall(_tag("amount")):
        yield {
            "book": header.attrib["pricebook-id"],
            "currency": header.findtext(_tag("currency")),
            "sku": table.attrib["product-id"],
            "since": table.findtext(_tag("online-from")),
            "until": table.findtext(_tag("online-to")),
            "quantity": amount.attrib.get("quantity", "1"),
            "amount": amount.text,
        }


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def jobs(imports: Imports) -> list[tuple[str, str, str, bool, Handle]]:
    """Below /s/-/dw/data/v25_6."""
    return [
        ("/jobs/<job>/executions", "jobs.start", "POST", True, imports.start),
        ("/jobs/<job>/executions/<execution>", "jobs.get", "GET", False, imports.get),
    ]


def webdav(imports: Imports) -> list[tuple[str, str, str, bool, Handle]]:
    """Below /on/demandware.servlet/webdav/Sites/Impex/src/instance."""
    return [
        ("/<name>", "webdav.put", "PUT", True, imports.put),
        ("/<name>", "webdav.delete", "DELETE", True, imports.delete),
    ]
