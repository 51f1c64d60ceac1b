"""The simulated Acme's records: made once under a key, doubled without one; drafts, jobs, a late search index."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import request

from connectors.acme.simulator_checks import CHECKS, Checks
from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_limits import MADE
from connectors.acme.simulator_refusal import Refusal
from connectors.acme.simulator_shop import Shop

KEYS_LAST = 86400  # seconds


class Records:
    """Bookings, deliveries, credits, requests, dispatches, letters: {"id", "reference", "state", "body"}."""

    def __init__(self, door: Door, shop: Shop, settings: Mapping[str, Any]) -> None:
        self._memory, self._simulator = door.simulator.memory, door.simulator
        self._shop, self._settings = shop, settings
        self._checks = Checks(self._memory, settings)
        kinds = f"/v1/<any({', '.join(MADE)}):kind>"
        one = f"{kinds}/<name>"
        door.on(kinds, "{kind}.create", "POST", self._create, write=True)
        door.on(kinds, "{kind}.search", "GET", self._search)
        door.on(f"/v1/listings/<any({', '.join(MADE)}):kind>", "{kind}.list", "GET", self._list)
        door.on(one, "{kind}.get", "GET", self._record)
        door.on(one, "{kind}.amend", "PUT", self._amend, write=True)
        door.on(f"{one}/confirmation", "{kind}.confirm", "POST", self._confirm, write=True)
        door.on(f"{one}/cancellation", "{kind}.cancel", "POST", self._cancel, write=True)
        door.on("/v1/jobs/<job>", "jobs.get", "GET", self._job)
        door.control("/_sim/effects", self._effects, "GET")
        door.control("/_sim/<any(requests, purchases):kind>/<reference>/shipments", self._ship, "POST")
        door.control("/_sim/purchases/<reference>/acknowledgement", self._acknowledge, "POST")

    # ---- making

    def _create(self, kind: str) -> Any:
        """With a key: the first answer again, 409 for another body; without one: a new record each time."""
        body, key = document(), request.headers.get("Idempotency-Key", "")
        with self._memory.lock:
            self._end_jobs()
            known = self._under_key(kind, key, body) if key else None
            if request.headers.get("Prefer") == "respond-async":
                return {"job": known or self._begin_job(kind, body, key)}, 202
            return (known, 200) if known else (self._made(kind, body, key), 201)

    def _under_key(self, kind: str, key: str, body: Mapping[str, Any]) -> Any:
        seen = self._memory.table("keys").get(f"{kind}:{key}")
        if seen is None or seen["at"] < time.time() - KEYS_LAST:
            return None
        if seen["hash"] != _hash(body):
            raise Refusal(409, "key_reused", "This idempotency key was used for another body.", "Idempotency-Key")
        return self._memory.table(seen["table"])[seen["id"]]

    def _made(self, kind: str, body: dict[str, Any], key: str) -> Any:
        CHECKS[kind](self._checks, body)
        name = f"{kind[:3]}-{self._memory.next_id(kind, 1001)}"
        state = "draft" if body.get("draft") else "open"
        record = {"id": name, "kind": kind, "reference": body["reference"], "key": key, "state": state, "body": body}
        record["created_at"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._remember(kind, key, body, kind, name)
        self._memory.put(kind, name, record)
        self._index(kind, name)
        if state == "open":
            self._shop.heard(kind, body)
        return record

    def _remember(self, kind: str, key: str, body: Mapping[str, Any], table: str, name: str) -> None:
        if key:
            entry = {"table": table, "id": name, "at": time.time(), "hash": _hash(body)}
            self._memory.put("keys", f"{kind}:{key}", entry)

    def _index(self, kind: str, name: str) -> None:
        self._simulator.created(kind, name)
        self._simulator.born[f"{kind}:{name}"] += float(self._settings.get("index_seconds", 0))

    def _confirm(self, kind: str, name: str) -> Any:
        """A draft takes its body; one that is confirmed already stays as it is."""
        record, body = self._record(kind, name), document()
        with self._memory.lock:
            if record["state"] == "draft":
                CHECKS[kind](self._checks, body)
                record = self._memory.put(kind, name, {**record, "state": "open", "body": body})
                self._shop.heard(kind, body)
        return record

    # ---- jobs

    def _begin_job(self, kind: str, body: dict[str, Any], key: str) -> Any:
        after = float(self._settings.get("job_seconds", 0.3))
        name = f"job-{self._memory.next_id('jobs', 1)}"
        job = {"id": name, "state": "queued", "kind": kind, "body": body, "key": key, "after": after}
        self._memory.put("jobs", name, {**job, "due": time.time() + after})
        self._remember(kind, key, body, "jobs", name)
        return self._memory.table("jobs")[name]

    def _end_jobs(self) -> None:
        """What is due is done as soon as anyone looks."""
        due = [
            job for job in self._memory.table("jobs").values() if job["state"] == "queued" and job["due"] <= time.time()
        ]
        for job in due:
            try:
                name = self._made(job["kind"], job["body"], "")["id"]
                self._memory.put(job["kind"], name, {**self._memory.table(job["kind"])[name], "key": job["key"]})
                self._memory.put("jobs", job["id"], {**job, "state": "done", "record": name})
            except Refusal as refusal:
                self._memory.put("jobs", job["id"], {**job, "state": "failed", **refusal.body})

    def _job(self, job: str) -> Any:
        with self._memory.lock:
            self._end_jobs()
            return self._there("jobs", job)

    # ---- looking up

    def _search(self, kind: str) -> Any:
        """By key at once; by reference when the index shows it."""
        with self._memory.lock:
            self._end_jobs()
            rows = list(self._memory.table(kind).values())
        key, reference = request.args.get("key"), request.args.get("reference")
        if key:
            return {"rows": [row for row in rows if row["key"] == key]}
        shown = [row for row in rows if self._simulator.indexed(kind, row["id"])]
        return {"rows": [row for row in shown if row["reference"] == reference]}

    def _list(self, kind: str) -> Any:
        """Rows by (created_at, id) after the cursor, both ends of the window included."""
        asked = request.args
        since, until, size = asked["created_from"], asked["created_to"], min(100, int(asked.get("limit", 50)))
        with self._memory.lock:
            self._end_jobs()
            rows = sorted(self._memory.table(kind).values(), key=_place)
        shown = [row for row in rows if self._simulator.indexed(kind, row["id"])]
        fits = [
            row
            for row in shown
            if since <= row["created_at"] <= until and "|".join(_place(row)) > asked.get("after", "")
        ]
        return {"rows": fits[:size], "next": "|".join(_place(fits[size - 1])) if len(fits) > size else None}

    def _record(self, kind: str, name: str) -> Any:
        return self._there(kind, name)

    def _there(self, table: str, name: str) -> Any:
        record = self._memory.table(table).get(name)
        if record is None:
            raise Refusal(404, "not_found", f"There is no {name} in {table}.")
        return record

    # ---- changing

    def _amend(self, kind: str, name: str) -> Any:
        body = document()
        with self._memory.lock:
            record = self._record(kind, name)
            if record["state"] == "cancelled":
                raise Refusal(409, "cancelled", "A cancelled record is not amended.")
            CHECKS[kind](self._checks, body)
            return self._memory.put(kind, name, {**record, "body": body, "revision": body.get("revision", "")})

    def _cancel(self, kind: str, name: str) -> Any:
        with self._memory.lock:
            record = self._record(kind, name)
            told = (request.get_json(silent=True) or {}) if kind in ("requests", "purchases") else {}
            if told.get("lines"):
                return self._stop(kind, record, told["lines"], told["key"])
            if record["state"] == "shipped":
                raise Refusal(409, "already_shipped", "It has left the house: it cannot be cancelled.")
            if any(one["body"].get("buy") == name for one in self._memory.table("arrivals").values()):
                raise Refusal(409, "already_received", "Something of it was received: it cannot be cancelled.")
            return self._memory.put(kind, name, {**record, "state": "cancelled"})

    def _stop(self, kind: str, record: Any, lines: Any, key: str) -> Any:
        """These pieces will not leave, all or none of them; with nothing left of it the whole is cancelled."""
        stopped, there = record.get("stopped", {}), left(record)
        if key in stopped:
            return record
        if any(int(row["quantity"]) > there.get(row["sku"], 0) for row in lines):
            raise Refusal(409, "already_shipped", "Some of these pieces have left the house.")
        after = {**record, "stopped": {**stopped, key: lines}}
        state = record["state"] if any(many > 0 for many in left(after).values()) else "cancelled"
        return self._memory.put(kind, record["id"], {**after, "state": state})

    # ---- switches

    def _acknowledge(self, reference: str) -> Any:
        """The supplier says what he will send: the given lines ([] for nothing), else all, and when (`promised_at`)."""
        with self._memory.lock:
            bought, said = self._asked("purchases", reference), document()
            return self._shop.acknowledged(bought, said.get("lines"), said.get("promised_at"))

    def _asked(self, kind: str, reference: str) -> Any:
        rows = [row for row in self._memory.table(kind).values() if row["reference"] == reference]
        if not rows or rows[0]["state"] == "cancelled":
            raise Refusal(404, "not_found", f"{reference} is not open among {kind}.")
        return rows[0]

    def _ship(self, kind: str, reference: str) -> Any:
        """The warehouse ships a request (the supplier a purchase order), or the given lines of it, and tells of it."""
        with self._memory.lock:
            asked = self._asked(kind, reference)
            lines = document().get("lines")
            sent = [*asked.get("sent", ()), *(lines or asked["body"]["lines"])]
            record = self._memory.put(kind, asked["id"], {**asked, "state": "shipped", "sent": sent})
            return self._shop.parcel(record, lines)

    def _effects(self) -> Any:
        """What was done, by business identity, so that a double shows as 2."""
        with self._memory.lock:
            self._end_jobs()
            records = [row for kind in MADE for row in self._memory.table(kind).values() if row["state"] != "draft"]
        counts: dict[str, Any] = {kind: Counter(r["reference"] for r in records if r["kind"] == kind) for kind in MADE}
        counts["cancelled"] = Counter(f"{r['kind']} {r['reference']}" for r in records if r["state"] == "cancelled")
        counts["amended"] = {r["reference"]: _content(r["body"]) for r in records if r.get("revision")}
        return {**counts, **self._shop.effects()}


def left(record: Mapping[str, Any]) -> Mapping[str, int]:
    """SKU -> pieces of a request that are still in the house and are to leave it."""
    found: Counter[str] = Counter()
    stopped = [row for rows in record.get("stopped", {}).values() for row in rows]
    for sign, rows in ((1, record["body"]["lines"]), (-1, record.get("sent", ())), (-1, stopped)):
        for row in rows:
            found[row["sku"]] += sign * int(row["quantity"])
    return found


def _content(body: Mapping[str, Any]) -> str:
    """An amended booking or purchase order in one line: what of it, where to, the note."""
    left = ", ".join(f"{line.get('current_quantity') or line['quantity']} {line['sku']}" for line in body["lines"])
    return f"{left}; {(body.get('ship_to') or {}).get('line1', '')}; {body.get('note', '')}"


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["created_at"], row["id"]


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
