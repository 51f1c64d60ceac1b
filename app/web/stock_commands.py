"""Stock at a terminal: a SKU's page, publication by SKU and place, differences and their repair."""

from __future__ import annotations

from decimal import Decimal
from getpass import getuser
from typing import Any

import click

from app.database import transaction
from app.journal import actions
from app.stock import dirty, drift, reading
from app.stock.quantities import plain


@click.group()
def stock() -> None:
    """Stock: what is there, who claims it, what channels are told."""


@stock.command()
@click.argument("sku")
def show(sku: str) -> None:
    """Prints what the page of SKU shows."""
    with transaction() as tx:
        page = reading.sku(tx, sku)
    if page is None:
        raise click.ClickException(f"Nobody has told of {sku!r}, and nobody claims it.")
    click.echo(f"{sku}  {plain(page.free)} free in all")
    for row in page.shelves:
        where, whose = row.location or "(no place yet)", row.account or "nobody's word"
        click.echo(
            f"  {where:<24} free {_n(row.free):>8}  told {_n(row.told):>8}  claimed {_n(row.reserved):>8}  {whose}"
        )
    for row in page.claims:
        who = row.waybill or row.holder or row.claim
        click.echo(f"  claimed by {who:<20} {_n(row.quantity):>8} at {row.location or '(no place yet)'}")
    for row in page.channels:
        told = "nothing yet" if row.told is None else f"{_n(row.told)} at {row.told_at:%Y-%m-%d %H:%M:%S}"
        waits = f", waits since {row.since:%Y-%m-%d %H:%M:%S}" if row.since else ""
        where = f"{row.account} at {row.location}" if row.location else row.account
        click.echo(f"  {where} may see {_n(page.seen[row.account, row.location].visible)}, was told {told}{waits}")


@stock.command()
@click.option("--account", default="", help="Only this channel.")
@click.option("--sku", "word", default="", help="Only SKUs that hold this.")
@click.option("--location", default="", help="Only SKUs with stock at this place.")
@click.option("--again", is_flag=True, help="Even what the channel knows already.")
@click.option("--dry-run", is_flag=True, help="Only counts.")
@click.option("--reason", default="by command", show_default=True)
def publish(account: str, word: str, location: str, again: bool, dry_run: bool, reason: str) -> None:
    """Tells the stock that fits to channels in their next batches."""
    if account and account not in dirty.publishers():
        raise click.ClickException(f"{account} is not told of stock. Those that are: {', '.join(dirty.publishers())}.")
    chosen: dict[str, Any] = {"account": account, "word": word, "location": location, "again": again}
    with transaction() as tx:
        n = dirty.mark_fitting(tx, **chosen, dry=dry_run)
        if not dry_run:
            actions.audit(tx, _who(), "publish stock", f"stock:{account or 'all'}", reason, after={**chosen, "skus": n})
    click.echo(f"{n} SKUs {'would be' if dry_run else 'will be'} told.")


@stock.command("drift")
def drifts() -> None:
    """Lists what does not agree, with both sides and what is proposed."""
    with transaction() as tx:
        rows = drift.open_ones(tx)
    for row in rows:
        where = f"{row.sku}{' at ' + row.location if row.location else ''}"
        sides = f"ours {_n(row.ours)}, theirs {_n(row.theirs)}"
        click.echo(f"{row.id:>6}  {row.kind:<10} {row.account:<18} {where:<30} {sides}; {drift.WORDS_OF[row.repair]}")
    if not rows:
        click.echo("All agree.")


@stock.command()
@click.argument("number", type=int)
@click.option("--dry-run", is_flag=True, help="Only says what it would do.")
@click.option("--reason", default="by command", show_default=True)
def repair(number: int, dry_run: bool, reason: str) -> None:
    """Mends difference NUMBER as proposed; the next look that agrees closes it."""
    with transaction() as tx:
        made = drift.repair(tx, number, dry=dry_run)
        if made is None:
            raise click.ClickException(f"Difference {number} is not open.")
        if made.done:
            after = {"before": str(made.before), "after": str(made.after)}
            actions.audit(tx, _who(), "repair stock", f"drift:{number}", reason, after=after)
    done = "Done" if made.done else "It would be done" if dry_run else "Nothing is done by itself"
    click.echo(f"{done}: {made.sentence} ({_n(made.before)} becomes {_n(made.after)}).")


def _n(quantity: Decimal | None) -> str:
    return "-" if quantity is None else f"{plain(quantity):f}"


def _who() -> str:
    return f"{getuser()} (command)"
