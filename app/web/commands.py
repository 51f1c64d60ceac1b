"""What is done at a terminal: walk an order, replay a delivery, check the policy, list accounts, let people in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from getpass import getuser
from importlib import import_module
from pathlib import Path
from socket import gethostname
from typing import Any

import click
import orjson
from rich.console import Console
from rich.text import Text

from app.bell import HUB, ring, ring_event
from app.database import transaction
from app.journal import actions, mending
from app.journal import promoted as promotion
from app.journal.reading import order as reading
from app.journal.reading import orders, overview, timeline
from app.journal.reading.words import action
from app.orders import simulation
from app.orders.sourcing import left_out
from app.orders.sourcing_rules import Unusable, read
from app.web import checker, people
from app.web.stock_commands import stock
from config import reader as policy

COLUMNS = "{:<20} {:>7} {:>7} {:>7} {:>7}  {:<16} {}"
COLOURS = {"good": "green", "busy": "blue", "warn": "yellow", "bad": "red", "calm": "bright_black"}


@click.group()
def waybill() -> None:
    """The hub, from a terminal."""
    actions.ORIGIN.set(f"terminal on {gethostname()}")


@waybill.command()
@click.argument("order")
def walk(order: str) -> None:
    """Prints what the page of ORDER shows: any number that names it will do."""
    with transaction() as tx:
        page = reading.order(tx, order)
        if page is None:
            found = orders.search(tx, order, list(policy.config().accounts), personal=True).page.rows
            if len(found) != 1:
                raise click.ClickException(_several(order, found))
            page = reading.order(tx, found[0].waybill)
    if page is not None:
        _print(page, Console(highlight=False, soft_wrap=True))


def _several(order: str, found: tuple[orders.OrderRow, ...]) -> str:
    if not found:
        return f"Nothing is known under {order!r}."
    return f"{order!r} names several: {', '.join(row.waybill for row in found[:20])}."


def _print(page: reading.OrderPage, console: Console) -> None:
    subject = page.subject
    console.print(f"{subject.number or subject.external_id}  {subject.waybill}  {subject.state}", style="bold")
    sentence, tone = timeline.headline(page)
    console.print(Text(sentence, style=COLOURS[tone]))
    for line in _steps(page):
        console.print(line)
    console.print()
    for item in timeline.timeline(page)[::-1]:
        head = Text(f"{item.at:%Y-%m-%d %H:%M:%S}  {item.lane:<16} {item.title}  ")
        console.print(head.append(item.label, style=COLOURS[item.tone]).append(f"  {item.text}", style="bright_black"))


def _steps(page: reading.OrderPage) -> Iterator[Text]:
    for stand in timeline.stands(page):
        said = f"{stand.told.now} {stand.told.next}".strip()
        name = f"  {action(stand.step.name):<36} {stand.step.account:<16} "
        line = Text(name).append(f"{stand.told.label:<16}", style=COLOURS[stand.told.tone])
        yield line.append(f" {said}" + (f" Asked to look: {stand.told.owner}." if stand.told.owner else ""))


@waybill.command()
@click.argument("event", type=int)
@click.option("--reason", default="by command", show_default=True)
def replay(event: int, reason: str) -> None:
    """Receives delivery EVENT again, if it led to nothing."""
    with transaction() as tx:
        again = actions.replay(tx, event, _who(), reason)
    if not again:
        raise click.ClickException(f"Delivery {event} is not here, or has its effects already.")
    rung = ring_event(event)
    click.echo(f"Delivery {event} is received again{'' if rung else ' at the next sweep: the broker is away'}.")


@waybill.command()
@click.option("--config", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None)
def check(folder: Path | None) -> None:
    """Checks the policy files, the environment and open work; exit code 1 when something is wrong. What is only in doubt is told."""
    chosen = folder or Path(os.environ.get("WAYBILL_CONFIG", policy.HERE))
    findings = checker.check(chosen)
    for finding in findings:
        click.echo(str(finding))
    if findings:
        sys.exit(1)
    for doubt in checker.doubts(chosen):
        click.echo(f"Perhaps not meant: {doubt}")
    click.echo("The configuration can be used.")


@waybill.command()
@click.option("--since", required=True, help="An age (90m, 24h, 7d) or a moment (2026-11-25T10:00:00Z).")
@click.option("--channel", "channels", multiple=True, help="Only this channel; all when none is named.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--keep", is_flag=True, help="Keep the result as the beat job does: differences become cases, or close them."
)
def prove(since: str, channels: tuple[str, ...], as_json: bool, keep: bool) -> None:
    """Prints the certificate: the journal held against the receivers' log, the sources and the ERP.

    Exit code 0: all agrees; 1: there are differences; 2: something could not be asked.
    """
    proof: Any = import_module("tasks.proving.proof")  # by name: only a command, a process of its own, sees both faces
    certificate: Any = import_module("tasks.proving.certificate")
    now = datetime.now(UTC)
    found = proof.prove(proof.hours(_moment(since, now), now), channels, now=now, bodies=True)
    if keep:
        import_module("tasks.feeds.prove").keep(found)
    lines = [orjson.dumps(certificate.document(found)).decode()] if as_json else certificate.told(found)
    for line in lines:
        click.echo(line)
    sys.exit(certificate.verdict(found))


@waybill.command()
@click.argument("difference", type=int)
@click.option("--dry-run", is_flag=True, help="Only says what it would do.")
@click.option("--reason", default="by command", show_default=True)
def mend(difference: int, dry_run: bool, reason: str) -> None:
    """Mends DIFFERENCE of a proof as proposed; the next proof that agrees closes it."""
    with transaction() as tx:
        made = mending.mend(tx, difference, _who(), reason, dry=dry_run)
    if made is None:
        raise click.ClickException(f"Difference {difference} is not open.")
    ring(made.rings)
    done = "Asked for" if made.done else "It would be done" if made.possible else "Nothing is done by itself"
    click.echo(f"{done}: {made.sentence} ({made.before} -> {made.after}).")


AGES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _moment(word: str, now: datetime) -> datetime:
    """An age before now, or a moment; one without a time zone is UTC."""
    if word[:-1].isdigit() and word[-1] in AGES:
        return now - int(word[:-1]) * AGES[word[-1]]
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        raise click.BadParameter("say 90m, 24h, 7d or 2026-11-25T10:00:00Z", param_hint="--since") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@waybill.command()
@click.option(
    "--skip", default=100_000, show_default=True, help="More than the lost primary can have given out unheard."
)
def promoted(skip: int) -> None:
    """Skips the numbers that a lost primary may have given out; run on a promoted standby before it is written to."""
    with transaction() as tx:
        moved = promotion.skip_numbers(tx, skip, _who())
    click.echo(f"{moved} sequences go on {skip} further.")


@waybill.command()
def accounts() -> None:
    """One line for each account: what it does and what waits for it."""
    names = [*policy.config().accounts, HUB]
    with transaction() as tx:
        lines, held = overview.lines(tx, names), overview.held(tx, names)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        COLUMNS.format("account", "waiting", "parked", "stopped", "errors", "last success", "state"), style="bold"
    )
    for line in lines:
        words, tone = overview.state(line, held[line.account])
        rate = "" if line.error_rate is None else f"{line.error_rate:.0%}"
        last = f"{line.last_success:%m-%d %H:%M:%S}" if line.last_success else ""
        console.print(
            Text(COLUMNS.format(line.account, line.waiting, line.parked, line.dead, rate, last, "")).append(
                words, style=COLOURS[tone]
            )
        )


@waybill.command("simulate-routing")
@click.argument("draft", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="orders placed since that day (UTC)")
@click.option("--orders", "shown", default=20, show_default=True, help="how many orders that differ are listed")
def simulate_routing(draft: Path, since: datetime, shown: int) -> None:
    """Runs the sourcing rules of the file DRAFT over past orders, beside the rules in force; changes nothing."""
    try:
        with transaction() as tx:
            report = simulation.simulate(tx, read(draft.read_text()), since.replace(tzinfo=UTC))
    except Unusable as wrong:
        raise click.ClickException(str(wrong)) from wrong
    for line in _told(report, shown):
        click.echo(line)


def _told(report: simulation.Report, shown: int) -> Iterator[str]:
    for name, tally in (("draft", report.draft), ("in force", report.now)):
        if tally is None:
            yield f"{name}: no rule set"
            continue
        sums = f"{tally.orders} orders, {tally.split_rate:.1%} split, cost {tally.cost}"
        yield f"{name}: {sums}, {tally.missing} pieces missing in {tally.short} orders, {tally.full} met a full location"
        yield f"  {tally.late} orders later than promised, {tally.placeless} to a place that is not known (equally far from all)"
        for place in sorted(tally.legs):
            requests, pieces = tally.legs[place], tally.pieces[place]
            yield f"  {place:<24} {requests:>7} requests {pieces:>9} pieces, busiest day {tally.peak.get(place, 0)}"
    yield f"{len(report.changed)} of {len(report.rows)} orders differ"
    for row in report.changed[:shown]:
        yield f"  {row.waybill}  draft {_places(row.draft)}  now {_places(row.now)}{_barred(row.refused)}"


def _barred(refused: Mapping[str, str]) -> str:
    return f"  {left_out(refused)}" if refused else ""


def _places(given: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name} {pieces}" for name, pieces in given.items()) or "nobody"


@waybill.command("new-connector")
@click.argument("name")
def new_connector(name: str) -> None:
    """Copies the living template to connectors/NAME, with its tests. Works in a checkout only."""
    checkout = Path(__file__).parents[2]
    sys.exit(subprocess.run([sys.executable, "-m", "local.new_connector", name], cwd=checkout, check=False).returncode)


@waybill.group()
def users() -> None:
    """The people who may come in."""


@users.command("add")
@click.argument("login")
@click.option("--role", type=click.Choice(people.ROLES), default="viewer", show_default=True)
@click.password_option()
def add_user(login: str, role: str, password: str) -> None:
    """Lets LOGIN in, or gives them another password and role."""
    try:
        with transaction() as tx:
            people.keep(tx, login, password, role)
            actions.audit(tx, _who(), "set login", f"user:{login}", "by command", after={"role": role})
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(f"{login} may come in as {role}.")


def _who() -> str:
    return f"{getuser()} (command)"


waybill.add_command(stock)


if __name__ == "__main__":
    waybill(prog_name="waybill")
