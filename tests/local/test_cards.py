"""docs/connectors says what the manifests and READMEs say, and all of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors import registry
from connectors.kit.capabilities import CAPABILITIES
from connectors.kit.card import Card, card, methods, sentence
from connectors.kit.gaps import Gaps, gaps
from connectors.kit.manifest import Limit, read_manifest
from local import cards
from local.markdown import table

CARDS = registry.cards()
MANIFEST = """
name = "nowhere"
title = "Nowhere"
roles = ["channel"]
version = "3"
sunset = 2028-01-01
sources = ["https://nowhere.example"]

[[sunsets]]
setting = "orders"
value = "2"
on = 2027-01-01

[auth]
credentials = ["token"]

[capabilities]
offers = ["Poller", "SalesChannel"]
batch = ["publish_stock"]
absent = { acknowledge = "no field for it (https://nowhere.example/orders)" }

[writes.shipment]
once_by = "unique"
settles_after = 5
window = "the first window"

[writes.shipment_2]
once_by = "unique"
settles_after = 5
window = "as shipment"

[writes.shipment_3]
once_by = "neither"
settles_after = 5
window = "another way, so a row of its own"
"""
README = """# Nowhere

## What it means
- This is no gap.

## Not verified against a live shop
- Whether it exists,
  or not.
- The second.

## Not built
A paragraph
of two lines.

Another.
## Sources
- Nor is this.
"""


@pytest.fixture
def nowhere(tmp_path: Path) -> Card:
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    return card(read_manifest(tmp_path / "manifest.toml"), README)


def test_the_committed_pages_are_what_the_manifests_say() -> None:
    committed = {path.name: path.read_text() for path in cards.FOLDER.glob("*.md")}
    made = cards.pages()
    assert set(committed) == set(made), "run make cards"
    stale = [name for name, text in made.items() if committed[name] != text]
    assert not stale, "run make cards"


@pytest.mark.parametrize("name", registry.manifests())
def test_a_page_says_all_of_its_manifest(name: str) -> None:
    """Read back from the page, word by word: nothing that the manifest states is left out."""
    told, text = registry.manifests()[name], cards.page(CARDS[name]).replace("\\<", "<").replace("\\|", "|")
    words = [told.title, told.version, told.tier, *told.roles, *told.credentials, *told.secrets, *told.sources]
    words += [*told.topics, *told.topics.values(), *told.offers, *told.absent, *told.absent.values(), *told.settings]
    words += [limit.name for limit in told.limits] + [one for limit in told.limits for one in limit.operations]
    words += [str(one.on) for one in told.sunsets] + ([str(told.sunset)] if told.sunset else [])
    words += [rule.window for rule in told.writes.values() if not rule.window.startswith("as ")]
    missing = [word for word in words if " ".join(word.split()) not in text]
    assert not missing


@pytest.mark.parametrize("name", registry.manifests())
def test_every_connector_names_its_gaps(name: str) -> None:
    """A README without a section that begins with "Not" would claim that all is proved."""
    assert CARDS[name].gaps, (
        f'connectors/{name}/README.md has no section "## Not verified ..." (docs/adding-a-connector.md)'
    )
    assert all(one.items for one in CARDS[name].gaps)


def test_the_index_has_a_row_for_each_connector_and_a_column_for_each_capability() -> None:
    text = cards.pages()["README.md"]
    for name, found in CARDS.items():
        assert text.count(f"[{found.manifest.title}]({name}.md)") == 3
    (head,) = [line for line in text.splitlines() if line.startswith("| connector | sales channel")]
    assert head.count("|") == len(CAPABILITIES) + 2


def test_a_change_of_the_manifest_changes_the_page(nowhere: Card, tmp_path: Path) -> None:
    """The comparison above can fail: each of these is seen on the page."""
    before = cards.page(nowhere)
    for old, new in (("2028-01-01", "2028-02-01"), ("no field for it", "none"), ("first window", "w"), ('"3"', '"4"')):
        (tmp_path / "manifest.toml").write_text(MANIFEST.replace(old, new))
        assert cards.page(card(read_manifest(tmp_path / "manifest.toml"), README)) != before, old
    assert cards.page(card(nowhere.manifest, README.replace("second", "third"))) != before


def test_what_a_card_makes_of_a_manifest(nowhere: Card) -> None:
    assert [(one.on, one.speaks) for one in nowhere.endings] == [
        (date(2028, 1, 1), "every account"),
        (date(2027, 1, 1), 'accounts with `orders = "2"`'),
    ]
    assert nowhere.doors == ("polls",)
    channel, poller = nowhere.offers
    assert (channel.name, channel.extent, channel.batch) == ("SalesChannel", "part", ("publish_stock",))
    assert channel.methods == methods("SalesChannel") == ("acknowledge", "confirm_shipment", "publish_stock")
    assert (poller.name, poller.extent) == ("Poller", "all")
    assert [(row.name, row.once_by) for row in nowhere.writes] == [
        ("shipment to shipment_2", "unique"),
        ("shipment_3", "neither"),
    ]


def test_gaps_are_the_sections_that_say_not() -> None:
    assert gaps(README) == (
        Gaps("Not verified against a live shop", ("Whether it exists, or not.", "The second.")),
        Gaps("Not built", ("A paragraph of two lines.", "Another.")),
    )
    assert gaps("# A title\n\nNo sections.") == ()


def test_limits_are_told_in_words() -> None:
    assert sentence(Limit("a", "bucket", 20, rate=0.0056)) == "0.0056 a second, 20 at once"
    assert sentence(Limit("a", "window", 150, seconds=61)) == "150 in any 61 s"
    assert sentence(Limit("a", "daily", 200_000, resets="08:00")) == "200,000 a day, renewed at 08:00 UTC"
    assert {limit.kind for told in registry.manifests().values() for limit in told.limits} <= {
        "bucket",
        "points",
        "window",
        "concurrency",
        "daily",
    }


def test_a_table_keeps_its_cells() -> None:
    made = table(("a", "b"), [("one|two", "see <name>, `<code>`\nand on")])
    assert made.splitlines()[2] == "| one\\|two | see \\<name>, `<code>` and on |"
    assert table(("a",), []) == ""
