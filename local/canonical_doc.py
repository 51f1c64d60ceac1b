"""Where each canonical field stands in each system's contract, as a page for people.

`python -m local.canonical_doc` writes docs/canonical.md from docs/canonical.csv; `make test` sees that the page is
current and that its paths exist.
"""

import csv
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
NONE = "none"

# column of the CSV -> its name on the page; the two faces of Shopify count as one system
SYSTEMS = {
    "shopify_webhook": "Shopify webhook",
    "shopify_graphql": "Shopify GraphQL",
    "adobe": "Adobe Commerce",
    "bigcommerce": "BigCommerce",
    "sfcc": "Salesforce CC",
    "amazon": "Amazon",
    "walmart": "Walmart",
    "ebay": "eBay",
    "square": "Square",
    "netsuite": "NetSuite",
    "d365_fo": "Dynamics F&O",
    "business_central": "Business Central",
    "s4hana": "S/4HANA",
    "oracle": "Oracle",
    "acumatica": "Acumatica",
    "tryton": "Tryton",
    "shipbob": "ShipBob",
}

# why a path could not be looked up in ../shared by machine
TAGS = {
    "A": "the vendor's own page sources, by way of ../shared/vendors; not in a saved contract",
    "D": "read in a public copy of the vendor's reference (release 2026.1); not in a saved contract",
    "K": "from knowledge: verify before coding",
    "V": "named in ../shared/vendors; not in a saved contract",
}

HEAD = """# The canonical model in every system's words

Rendered from [canonical.csv](canonical.csv) by `python -m local.canonical_doc`: change the CSV, never this page.

A path begins at a type of the vendor's contract (a GraphQL type, an OpenAPI schema or operation, an OData entity, a
record, a Tryton model) and names the fields down to the fact. It says where the fact is told: a mapping may still need
a rule (a status for a time, a flag for a kind, a difference for a sum). A system that is not listed has no such field.
The number counts systems, Shopify once. A field that no two systems have stands here only with a reason of our own.
"""


def rows(source: Path = DOCS / "canonical.csv") -> list[dict[str, str]]:
    """The CSV, a row for each canonical field: `field` (Class.name), `ours` (our own reason), a path per system."""
    with source.open(newline="") as lines:
        return list(csv.DictReader(lines))


def paths(row: dict[str, str]) -> dict[str, str]:
    """The systems (columns) that have the field, and where."""
    return {system: row[system] for system in SYSTEMS if row[system] != NONE}


def count(row: dict[str, str]) -> int:
    """How many systems have the field; Shopify's webhook and GraphQL are one."""
    return len({system.split("_")[0] if system.startswith("shopify") else system for system in paths(row)})


def render(table: Iterable[dict[str, str]]) -> str:
    """The whole page: one section for each class, one line for each field."""
    tags = "".join(f"- `[{tag}]` {meaning}\n" for tag, meaning in TAGS.items())
    sections = groupby(table, key=lambda row: row["field"].partition(".")[0])
    return (
        HEAD
        + "\nMarked paths could not be looked up by machine:\n"
        + tags
        + "".join(section(name, list(fields)) for name, fields in sections)
    )


def section(name: str, fields: list[dict[str, str]]) -> str:
    lines = "".join(line(row) for row in fields)
    return f"\n## {name}\n\n| field | systems | where |\n|---|---|---|\n{lines}"


def line(row: dict[str, str]) -> str:
    told = [f"{SYSTEMS[system]} {cell(path)}" for system, path in paths(row).items()]
    ours = [row["ours"]] if row["ours"] else []
    return f"| {row['field'].partition('.')[2]} | {count(row) or '-'} | {'; '.join(ours + told)} |\n"


def cell(path: str) -> str:
    """A path as code, its tag beside it."""
    bare, _, tag = path.partition(" [")
    return f"`{bare}`" + (f" [{tag}" if tag else "")


def main() -> None:
    (DOCS / "canonical.md").write_text(render(rows()))


if __name__ == "__main__":
    main()
