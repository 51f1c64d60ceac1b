"""Catalogue and inventory of Connect v2, answered as Square answers them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response

from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import Store
from connectors.square.simulator_words import document, needed, once, paged, said

Json = dict[str, Any]


def _item(variation: Json) -> Json:
    """The item that a variation is of."""
    data = variation["item_variation_data"]
    shown = {name: variation[name] for name in ("updated_at", "created_at", "version", "is_deleted")}
    named = {"name": f"Article {data['sku']}", "product_type": "REGULAR"}
    return {"type": "ITEM", "id": data["item_id"], **shown, "present_at_all_locations": True, "item_data": named}


class Goods:
    """Catalogue and inventory."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def search(self) -> Response:
        """Variations by SKU, without case; or all that were modified after an instant, with their items."""
        body = document()
        if not body.get("query"):
            return self._changed(body)
        told = needed(body, "query.set_query")
        if told["attribute_name"] != "sku" or len(told["attribute_values"]) > 250:
            raise Refused(400, "BAD_REQUEST", "Not searchable", "query.set_query")
        wanted = {str(one).lower() for one in told["attribute_values"]}
        rows = [
            one
            for one in self._articles()
            if str(one["item_variation_data"].get("sku", "")).lower() in wanted and not one["is_deleted"]
        ]
        return said(paged(rows, body, "objects", 1000))

    def _changed(self, body: Json) -> Response:
        if body.get("object_types") != ["ITEM_VARIATION"]:
            raise Refused(400, "BAD_REQUEST", "Only variations are played", "object_types")
        fits = [
            one
            for one in self._articles()
            if one["updated_at"] > body.get("begin_time", "")
            and (body.get("include_deleted_objects") or not one["is_deleted"])
        ]
        made = paged(sorted(fits, key=lambda one: one["id"]), body, "objects", int(body.get("limit", 1000)))
        items = [_item(one) for one in made.get("objects", ())] if body.get("include_related_objects") else []
        return said({**made, **({"related_objects": items} if items else {})})

    def _articles(self) -> list[Json]:
        return list(self._store.memory.table("articles").values())

    def retrieve(self) -> Response:
        body = document()
        ids = needed(body, "object_ids")
        rows = [
            one
            for one in self._articles()
            if one["id"] in ids and (body.get("include_deleted_objects") or not one["is_deleted"])
        ]
        return said({"objects": rows} if rows else {})

    def put(self) -> Response:
        """Each batch as a whole, under the versions of its objects."""
        body = document()
        rows = [one for batch in needed(body, "batches") for one in batch["objects"]]

        def do() -> Json:
            for one in rows:
                known = self._store.memory.table("articles").get(one["id"])
                if known is None:
                    raise Refused(404, "NOT_FOUND", f"Object {one['id']} not found", "batches.objects.id")
                if one.get("version") != known["version"]:
                    raise Refused(
                        400,
                        "VERSION_MISMATCH",
                        f"Object version does not match latest database version: {one['id']}",
                        "version",
                    )
                price = one["item_variation_data"].get("price_money", {})
                if not isinstance(price.get("amount"), int) or price["amount"] < 0:
                    raise Refused(400, "VALUE_TOO_LOW", "The price must not be negative", "price_money.amount")
            return {"objects": [self._written(one) for one in rows]}

        return said(once(self._store, f"catalog:{needed(body, 'idempotency_key')}", body, do))

    def _written(self, one: Json) -> Json:
        known = self._store.memory.table("articles")[one["id"]]
        version = self._store.memory.next_id("versions")
        kept = {**one, "created_at": known["created_at"], "updated_at": self._store.now(), "version": version}
        made: Json = self._store.memory.put("articles", one["id"], kept)
        return made

    def counts(self) -> Response:
        body = document()
        table = list(self._store.memory.table("counts").values())
        for field, name in (
            ("catalog_object_id", "catalog_object_ids"),
            ("location_id", "location_ids"),
            ("state", "states"),
        ):
            table = [one for one in table if not body.get(name) or one[field] in body[name]]
        return said(paged(table, body, "counts", 1000))

    def change(self) -> Response:
        """Physical counts: all of them or none."""
        body = document()
        changes = needed(body, "changes")
        if len(changes) > 100:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 100 changes", "changes")

        def do() -> Json:
            rows = [self._counted(n, one["physical_count"]) for n, one in enumerate(changes)]
            return {"counts": [self._store.set_count(*row) for row in rows]}

        return said(once(self._store, f"inventory:{needed(body, 'idempotency_key')}", body, do))

    def _counted(self, n: int, row: Json) -> tuple[str, str, str]:
        if row["catalog_object_id"] not in self._store.memory.table("articles"):
            raise Refused(400, "INVALID_VALUE", "No such object", f"changes[{n}].physical_count.catalog_object_id")
        if row["location_id"] not in self._store.locations:
            raise Refused(400, "INVALID_LOCATION", "No such location", f"changes[{n}].physical_count.location_id")
        if Decimal(row["quantity"]) < 0:
            raise Refused(400, "VALUE_TOO_LOW", "Must not be negative", f"changes[{n}].physical_count.quantity")
        return row["catalog_object_id"], row["location_id"], row["quantity"]
