"""Materials, their prices and how many there are, as SAP's product master, condition records and material stock list them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from connectors.canonical.product import Price, Product
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.articles import sku_of
from connectors.kit.errors import Missing
from connectors.sap_s4hana.client import PRICES, PRODUCTS, STOCK, Client
from connectors.sap_s4hana.mapping import products, stock
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import literal, rows, text

MATERIALS = 20  # that one filter names: its address must stay short
EXPAND = "to_SlsPrcgConditionRecord/to_SlsPrcgCndnRecordScale"


class Catalogue:
    def __init__(self, client: Client, policy: Policy, connection: Connection) -> None:
        self._client = client
        self._policy = policy
        self._connection = connection

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        """All materials, or those changed since; one without a cross reference bears its number as SKU."""
        where = f"LastChangeDateTime ge datetimeoffset'{_stamp(since)}'" if since else ""
        for row in self._client.after(PRODUCTS, "A_Product", where, "Product", expand="to_Description"):
            sku = sku_of(self._connection.codes, str(row["Product"]), str(row["Product"]))
            yield products.product(row, sku, self._unit(str(row.get("BaseUnit") or "")), self._policy)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The prices under the account's `price_type` in its sales area that hold today or later, for everybody or for a
        price list, each from a quantity on. They are net or gross as the condition type is: SAP's lists do not say.
        """
        kind = self._policy.wanted("price_type", "the condition type of its prices")
        area, today = self._policy.area, literal(self._policy.day(self._connection.now()))
        ours = {self._connection.codes.theirs("sku", sku): sku for sku in skus}
        wanted = sorted(ours)
        where = (
            f"ConditionType eq {text(kind)} and SalesOrganization eq {text(area['SalesOrganization'])} and "
            f"DistributionChannel eq {text(area['DistributionChannel'])} and ConditionValidityEndDate ge {today}"
        )
        order = "ConditionRecord,ConditionValidityEndDate"
        for start in range(0, len(wanted), MATERIALS):
            some = " or ".join(f"Material eq {text(one)}" for one in wanted[start : start + MATERIALS])
            asked = f"{where} and ({some})"
            for row in self._client.rows(PRICES, "A_SlsPrcgCndnRecdValidity", asked, expand=EXPAND, order=order):
                yield from products.prices(row, ours[str(row["Material"])], self._policy)

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """Levels by plant and storage location of what is mapped; places that are not ours are passed over."""
        asked_at, wanted = self._connection.now(), [self._connection.codes.theirs("sku", sku) for sku in skus]
        groups = [wanted[n : n + MATERIALS] for n in range(0, len(wanted), MATERIALS)] or [[]]
        for group in groups:
            yield from self._stock(group, asked_at)

    def _stock(self, materials: Sequence[str], asked_at: datetime) -> Iterator[StockLevel]:
        where = " or ".join(f"Material eq {text(one)}" for one in materials) or "Material ne ''"
        found = self._client.rows(STOCK, "A_MaterialStock", where, expand="to_MatlStkInAcctMod", order="Material")
        for row in found:
            material = str(row["Material"])
            sku = self._ours("sku", material)
            if not sku:
                continue
            places = stock.by_place(rows(row.get("to_MatlStkInAcctMod")))
            known = [(self._place(place), told) for place, told in places.items()]
            summed: dict[str, list[dict[str, object]]] = {}
            for place, told in known:
                summed.setdefault(place, []).extend(told)
            mine = [(place, told) for place, told in summed.items() if place]
            yield from stock.levels(material, sku, mine, self._policy.stock_types, asked_at)

    def _place(self, place: str) -> str:
        """Our location of "PLANT/STORAGE", or of the whole plant."""
        return self._ours("location", place) or self._ours("location", place.partition("/")[0])

    def _unit(self, theirs: str) -> str:
        return self._ours("unit", theirs) or ("each" if theirs in ("", self._policy.unit) else theirs)

    def _ours(self, kind: str, theirs: str) -> str:
        try:
            return self._connection.codes.ours(kind, theirs)
        except Missing:
            return ""


def _stamp(at: datetime) -> str:
    """An instant in a filter, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
