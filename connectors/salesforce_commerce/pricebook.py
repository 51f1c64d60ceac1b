"""A price book as an import file: XML by pricebook.xsd, in an archive laid out as a site import.

A price's validity is a table's; a quantity break is an amount of its own in it (complexType.PriceTable).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as Xml

from connectors.canonical.product import Price
from connectors.salesforce_commerce.walking import stamp

NAMESPACE = "http://www.demandware.com/xml/impex/pricebook/2006-10-31"
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the archive: the same prices are the same bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One price under the product id that Commerce Cloud has for its SKU."""

    product: str
    price: Price


def pricebook(book: str, currency: str, entries: Sequence[Entry]) -> bytes:
    """The file of one price book, UTF-8; tables for each product and validity, amounts by quantity."""
    root = Xml.Element("pricebooks", {"xmlns": NAMESPACE})
    element = Xml.SubElement(root, "pricebook")
    header = Xml.SubElement(element, "header", {"pricebook-id": book})
    Xml.SubElement(header, "currency").text = currency
    tables = Xml.SubElement(element, "price-tables")
    for key, rows in _tables(entries):
        _table(tables, key, rows)
    return bytes(Xml.tostring(root, encoding="UTF-8", xml_declaration=True))


Key = tuple[str, datetime | None, datetime | None]


def _tables(entries: Iterable[Entry]) -> list[tuple[Key, list[Price]]]:
    found: dict[Key, list[Price]] = {}
    for one in entries:
        key = (one.product, one.price.effective_from, one.price.effective_until)
        found.setdefault(key, []).append(one.price)
    return list(found.items())


def _table(parent: Xml.Element, key: Key, prices: list[Price]) -> None:
    product, since, until = key
    table = Xml.SubElement(parent, "price-table", {"product-id": product})
    if since is not None:
        Xml.SubElement(table, "online-from").text = stamp(since)
    if until is not None:
        Xml.SubElement(table, "online-to").text = stamp(until)
    for price in sorted(prices, key=lambda one: one.min_quantity):
        Xml.SubElement(table, "amount", {"quantity": f"{price.min_quantity:f}"}).text = f"{price.amount.amount:f}"


def archive(name: str, book: str, body: bytes) -> bytes:
    """The file under <name>/pricebooks/, in a ZIP called <name>.zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(f"{name}/pricebooks/{book}.xml", EPOCH), body)
    return buffer.getvalue()
