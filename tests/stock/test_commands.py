"""Stock at a terminal."""

from __future__ import annotations

from decimal import Decimal

from click.testing import CliRunner, Result

from connectors.canonical.stock import StockLevel
from tests.stock.conftest import Stock, at


def run(*words: str) -> Result:
    from app.web.commands import waybill

    return CliRunner().invoke(waybill, ["stock", *words])


def test_a_sku_is_shown_published_and_mended(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", 7)
    stock.reserve("res_1", "TEE", 2, holder="market")
    shown = run("show", "TEE").output
    for words in ("5 free in all", "main", "claimed by market", "shop may see 5, was told nothing yet"):
        assert words in shown, shown
    assert run("show", "NOBODY").exit_code == 1
    assert run("publish", "--sku", "TE", "--location", "main", "--dry-run").output == "1 SKUs would be told.\n"
    assert run("publish", "--location", "elsewhere").output == "0 SKUs will be told.\n"
    assert run("publish", "--account", "nobody").exit_code == 1
    assert run("drift").output == "All agree.\n"
    level = StockLevel("TEE", "main", available=Decimal(5), as_of=at(60))
    stock.do(drift.compare, "warehouse", "wms", ["TEE"], [level])
    listed = run("drift").output
    assert "ours 7, theirs 5; take their word" in listed
    number = listed.split()[0]
    assert run("repair", number, "--dry-run").output.startswith("It would be done: TEE at main")
    assert stock.free("TEE") == 5
    assert run("repair", number).output.startswith("Done: ")
    assert stock.free("TEE") == 3
    assert stock.one("SELECT count(*) FROM audit WHERE action = 'repair stock'") == 1


def test_a_rule_that_cannot_be_is_found_before_it_is_used(stock: Stock) -> None:
    import os
    from pathlib import Path

    from app.web.checker import check

    folder = Path(os.environ["WAYBILL_CONFIG"])
    rules = (
        "[default]\nallocation = 2\nbufer = 1\n[degraded]\nfresh = 900\nmost_age = 60\nfloor = 0.5\nfloor_most = 0\n"
    )
    (folder / "availability.toml").write_text(rules)
    (folder / "authority.toml").write_text(
        '[stock]\nowner = "warehouse"\n[stock.facts]\nin_the_air = "erp"\n[transitions]\n"return.burn" = "erp"\n'
    )
    found = {(one.file, one.line) for one in check(folder) if one.file in ("availability.toml", "authority.toml")}
    assert found == {
        ("availability.toml", 2),
        ("availability.toml", 3),
        ("availability.toml", 4),
        ("authority.toml", 4),
        ("authority.toml", 6),
    }
