"""At a terminal: an order walked, a delivery received again, a policy checked by file and line, people let in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.web.commands import waybill
from tests.web.conftest import Hub, Person

BIN = Path(sys.executable).parent
GOOD = """
[store]
connector = "shopify"
base_url = "https://store.example"
credentials = { access_token = "STORE_TOKEN" }
webhook_secrets = ["STORE_SECRET"]

[mail]
connector = "smtp"
base_url = "smtp://127.0.0.1:25"
"""


def run(*words: str, **more: str) -> Result:
    return CliRunner().invoke(waybill, list(words), **more)  # type: ignore[arg-type]


def test_an_order_is_walked_by_any_number(busy: Hub) -> None:
    row = busy.rows("SELECT waybill, number FROM subjects WHERE kind = 'order' ORDER BY id")[0]
    for number in (row.waybill, row.number):
        told = run("walk", number).output
        assert "Everything that this order asked for is done" in told
        assert "Book the order" in told
        assert "shop told us: order.placed" in told
    assert "Nothing is known under 'nowhere'" in run("walk", "nowhere").output
    assert "names several" in run("walk", "WB-TEE").output


def test_accounts_are_listed(busy: Hub) -> None:
    told = run("accounts").output
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["shop", "erp", "warehouse", "letters", "hub"]


def test_a_delivery_is_received_again(busy: Hub) -> None:
    unusable = busy.one("SELECT id FROM events WHERE state = 'quarantined'")
    assert run("replay", str(unusable), "--reason", "mended").exit_code == 0
    assert busy.one("SELECT reason FROM audit WHERE action = 'replay event'") == "mended"
    assert run("replay", "99999").exit_code == 1


def test_somebody_is_let_in(busy: Hub) -> None:
    assert run("users", "add", "late", "--role", "support", "--password", "a long enough one").exit_code == 0
    assert Person(busy.app.test_client()).log_in("late", "a long enough one").answer.status_code == 302
    assert "at least 12" in run("users", "add", "late", "--password", "short").output


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of policy that is right, in an environment that fits it."""
    (tmp_path / "accounts.toml").write_text(GOOD)
    (tmp_path / "routes.toml").write_text(
        '[[route]]\nname = "orders"\nkind = "order"\nwhen = { account = "store" }\nroles = { channel = "store", notify = "mail" }\n'
    )
    monkeypatch.setenv("STORE_TOKEN", "x")
    monkeypatch.setenv("STORE_SECRET", "x")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


def checked(folder: Path) -> tuple[int, str]:
    done = run("check", "--config", str(folder))
    return done.exit_code, done.output


def test_a_right_policy_can_be_used(policy: Path) -> None:
    assert checked(policy) == (0, "The configuration can be used.\n")


@pytest.mark.parametrize(
    ("file", "find", "put", "told"),
    [
        (
            "accounts",
            '"shopify"',
            '"shopfy"',
            "accounts.toml:2: store names the connector 'shopfy', which is not here. Remedy: use one of:",
        ),
        ("accounts", "[store]", "[store", "accounts.toml:2: this is not TOML"),
        (
            "accounts",
            'base_url = "https',
            'address = "https',
            "accounts.toml:4: account store has an unknown key 'address'.",
        ),
        (
            "accounts",
            "STORE_TOKEN",
            "STORE_TOKE",
            "accounts.toml:5: STORE_TOKE (store: access_token) is not in the environment. Remedy: set STORE_TOKE",
        ),
        ("accounts", "STORE_SECRET", "STORE_SECRE", "accounts.toml:2: store has no webhook secret"),
        ("accounts", '"https://store.example"', '""', "accounts.toml:2: store has no address."),
        (
            "routes",
            'notify = "mail"',
            'notify = "post"',
            "routes.toml:5: route 'orders' gives notify to 'post', which no account is called. Remedy: use one of: store, mail",
        ),
        (
            "routes",
            'notify = "mail"',
            'erp = "mail"',
            "routes.toml:5: route 'orders' gives erp to mail, but smtp plays notify.",
        ),
        (
            "routes",
            'account = "store"',
            'account = "stor"',
            "routes.toml:4: route 'orders' waits for 'stor', which no account is called.",
        ),
    ],
)
def test_a_wrong_policy_is_named_by_file_line_and_remedy(
    policy: Path, file: str, find: str, put: str, told: str
) -> None:
    path = policy / f"{file}.toml"
    path.write_text(path.read_text().replace(find, put))
    code, said = checked(policy)
    assert code == 1
    assert told in said
    assert "Remedy: " in said
    assert len(said.splitlines()) == 1


def test_open_work_of_a_step_that_is_gone_is_named(busy: Hub) -> None:
    busy.write(
        "UPDATE steps SET name = 'book_on_paper' WHERE id = (SELECT id FROM steps WHERE state = 'dead' ORDER BY id LIMIT 1)"
    )
    done = run("check")
    assert done.exit_code == 1
    assert "open steps are called order_placed.book_on_paper, which this code does not know." in done.output


def test_a_worker_does_not_start_among_steps_that_it_does_not_know(busy: Hub) -> None:
    busy.write(
        "UPDATE steps SET name = 'book_on_paper' WHERE id = (SELECT id FROM steps WHERE state <> 'done' ORDER BY id LIMIT 1)"
    )
    command = [str(BIN / "celery"), "-A", "tasks.worker", "worker", "-P", "solo", "--loglevel", "INFO"]
    worker = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert worker.returncode != 0
    assert "Open steps are called order_placed.book_on_paper, which this code does not know" in worker.stderr
