"""A draft is run over past orders before it is activated; versions are kept, activated, rolled back and audited."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner

from tests.orders.places import in_force, shelves, text
from tests.world import World


def test_a_draft_shows_split_rate_cost_capacity_and_who_would_have_got_what(acme: World, tmp_path: Path) -> None:
    from app.database import transaction
    from app.orders import simulation
    from app.orders.sourcing_rules import read
    from app.web.commands import waybill

    orders = [acme.order() for _ in range(3)]
    acme.pump()
    shelves(acme, dc_WB_TEE=4, store_WB_MUG=9, store_WB_TEE=9)
    in_force(text())
    since = datetime(2020, 1, 1, tzinfo=UTC)
    draft = text("draft", split=1)
    with transaction() as tx:
        before = acme.one("SELECT count(*) FROM steps")
        report = simulation.simulate(tx, read(draft), since)
    assert report.now is not None
    assert (report.now.orders, report.draft.orders) == (3, 3)
    assert report.draft.split == 0
    assert report.draft.pieces["store"] + report.draft.pieces.get("maker", Decimal(0)) == 9
    assert report.now.missing == report.draft.missing == 0
    assert {row.waybill for row in report.rows} == {
        row.waybill for row in acme.rows("SELECT waybill FROM subjects WHERE kind = 'order'")
    }
    assert acme.one("SELECT count(*) FROM steps") == before, "looking changes nothing"
    file = tmp_path / "draft.toml"
    file.write_text(draft)
    told = CliRunner().invoke(waybill, ["simulate-routing", str(file), "--since", "2020-01-01"])
    assert told.exit_code == 0, told.output
    assert f"draft: {len(orders)} orders, 0.0% split" in told.output
    assert "in force: 3 orders" in told.output
    file.write_text("name = 'x'")
    assert (
        "cannot be read" in CliRunner().invoke(waybill, ["simulate-routing", str(file), "--since", "2020-01-01"]).output
    )


def test_versions_are_kept_once_and_an_older_one_can_be_put_back(acme: World) -> None:
    from app.database import transaction
    from app.orders import rules

    first = in_force(text(split=3))
    second = in_force(text(split=2))
    assert first != second
    with transaction() as tx:
        assert rules.keep(tx, text(split=3), "bob") == first, "the same rules again are the version that they have"
        assert [one.version for one in rules.all_(tx)] == [2, 1]
        rules.activate(tx, first, "bob", "too many parcels")
        active = rules.in_force(tx)
        assert rules.activate(tx, 999, "bob", "no such") is None
    assert active is not None
    assert active.label == "tests@1"
    last = acme.rows(
        "SELECT who, reason, before, after FROM audit WHERE action = 'activate sourcing rules' ORDER BY id DESC LIMIT 1"
    )[0]
    assert tuple(last) == ("bob", "too many parcels", {"rules": "tests@2"}, {"rules": "tests@1"})
