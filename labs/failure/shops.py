"""The shipped connectors and their simulators on a stage, each with every bad day it can have: Shopify, an ERP, ShipBob and a mail server, and the
channels beside the web shop."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile

from labs.failure import looks, policy
from labs.failure.cuts import Cut
from labs.failure.scenario import Lab, Scenario
from labs.judge import acme
from labs.judge.bounds import faults_of_mail
from labs.judge.evidence import Call, Evidence, Published, Try
from local.environment import environment
from local.errors import ServerError
from local.ports import Ports
from local.processes import Processes
from local.servers import CHECKOUT, Servers, temporary
from local.story import addresses, erps, journal, keys, outsiders, plan
from local.story.acts import CANCELLED, GIVEN, gone
from local.story.catalogue import COUNTED, STOCK
from local.story.channels import CHANNELS, Channel
from local.story.configured import configured
from local.story.desk import Desk
from local.story.erps import Erp
from local.story.facts import Outside
from local.story.seed import seed, subscribe, warm
from local.story.shares import outsides
from local.story.stage import Stage as Counter

# What the simulators were told to allow (local/simulators.py), and NetSuite's requests at a time; our calls wait ten seconds at most.
LIMITS = (Published("netsuite", "concurrency", 5, waits=10.0), Published("shipbob", "window", 150, 60.0))
GRANTED = 600  # calls a minute that the played warehouse grants where every channel sells, as in `make run`
BESIDE = (replace(LIMITS[1], burst=GRANTED),)
AWAY = policy.LEASE + 2 * policy.MOST + 2.0
# Kind of bad day -> how it is set: at every call, at writes, or for a while.
DAYS: dict[str, dict[str, Any]] = {
    "unavailable": {"chance": 0.5},
    "throttle": {"chance": 0.3, "value": 1},
    "throttle_silent": {"chance": 0.3},
    "broken": {"chance": 0.2},
    "commit_then_drop": {"chance": 0.3, "writes_only": True},
    "commit_late": {"chance": 0.3, "value": 1.0, "writes_only": True},
    "truncated": {"chance": 0.2},
    "wrong_type": {"chance": 0.2},
    "slow": {"chance": 0.3, "value": 30.0, "times": 4},
}


@dataclass
class Shops:
    """The stage; `desks` by system: shopify, shipbob, mail. The ERP's is its own (`everybody` has it, too)."""

    scenario: Scenario
    folder: Path
    servers: Servers
    processes: Processes
    counter: Counter
    erp: Erp
    kills: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def desks(self) -> dict[str, Desk]:
        return dict(self.counter.desks)

    @property
    def everybody(self) -> dict[str, Desk]:
        assert self.erp.desk is not None
        return {**self.desks, self.scenario.lab.erp: self.erp.desk}

    def say(self, words: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {words}", flush=True)

    def good_weather(self) -> None:
        self.counter.good_day()

    # ---- what the runner asks of a stage

    @property
    def idle(self) -> bool:
        return not any(one.waiting for each in self._outside() for one in each.deliveries)

    def _outside(self) -> tuple[Outside, ...]:
        """What the web shop's outsiders hold, and those of each channel beside it."""
        if not self.scenario.lab.beside:
            return (outsiders.outside(self.desks, self.erp.books()),)
        return outsides(self.desks, self.erp.books(), CHANNELS)

    def evidence(self) -> Evidence:
        """By the story's own words for these systems."""
        shop, *beside = self._outside()
        log = tuple(
            Try(0.0, one.account, one.id, "", "", 200 if one.taken else 0, forged=one.forged)
            for each in (shop, *beside)
            for one in each.deliveries
        )
        return Evidence(
            log,
            shop,
            journal.inside(shop.channel if beside else ""),
            calls=tuple(self._calls()),
            limits=BESIDE if beside else LIMITS,
            unowned=looks.unowned(),
            beside=tuple((each, journal.inside(each.channel)) for each in beside),
        )

    def _calls(self) -> Iterator[Call]:
        for name, desk in self.everybody.items():
            yield from (acme.call(name, row) for row in desk.get("calls"))


def every_bad_day(system: str) -> Callable[[Any], None]:
    """One system goes through all its bad days while orders of every kind come in; the others are well."""

    def play(stage: Shops) -> None:
        ordinary = iter(plan.ordinary() * 3)
        for kind, how in DAYS.items():
            stage.say(f"{system}: {kind}")
            stage.everybody[system].faults({"kind": kind, **how})
            stage.counter.place([next(ordinary) for _ in range(8)], pause=0.1)
            time.sleep(3)
        stage.say(f"{system} is away for {AWAY:g} s")
        stage.everybody[system].faults({"kind": "drop"})
        stage.counter.place([next(ordinary) for _ in range(8)], pause=0.1)
        time.sleep(AWAY)
        stage.good_weather()
        stage.counter.place([next(ordinary) for _ in range(8)])
        _second_thoughts(stage)

    return play


def every_bad_day_beside(channel: Channel) -> Callable[[Any], None]:
    """A channel beside the web shop goes through all its bad days while its customers order, cancel and give back; the others are well."""

    def play(stage: Shops) -> None:
        at, ordinary = stage.counter, iter(channel.orders * 9)
        channel.opens(stage.desks[channel.system])
        at.sell(channel, channel.to_refund, GIVEN)
        for kind, how in DAYS.items():
            stage.say(f"{channel.system}: {kind}")
            stage.desks[channel.system].faults({"kind": kind, **how})
            at.sell(channel, [next(ordinary) for _ in range(5)])
            _until_it_hurts(stage, channel.system, kind)
        stage.say(f"{channel.system} is away for {AWAY:g} s")
        stage.desks[channel.system].faults({"kind": "drop"})
        at.sell(channel, [next(ordinary) for _ in range(5)])
        at.sell(channel, channel.to_cancel, CANCELLED)
        time.sleep(AWAY)
        stage.good_weather()
        at.then(channel, channel.cancel, at.sold(channel, CANCELLED))
        at.sell(channel, [next(ordinary) for _ in range(5)])
        at.place(plan.ordinary()[:5])
        at.then(channel, channel.refund, gone(at, channel, GIVEN))

    return play


HURTS, LONGEST = 4, 15.0  # calls that must meet a bad day before the next one, and the seconds that it may take


def _until_it_hurts(stage: Shops, system: str, kind: str) -> None:
    """The shelves are counted again and again, so that there is something to tell, beside the orders and their parcels."""
    desk, began = stage.desks[system], time.monotonic()
    while time.monotonic() < began + LONGEST:
        for sku in COUNTED:
            stage.desks["shipbob"].post("stock", {"sku": sku, "on_hand": STOCK - int(time.monotonic() * 10) % 50})
        time.sleep(1)
        if sum(1 for call in desk.get("calls") if call["fault"] == kind) >= HURTS:
            return


def _second_thoughts(stage: Shops) -> None:
    """Two customers cancel, and one who was sent a parcel gives a piece back."""
    placed = stage.counter.placed["plain"]
    stage.counter.change(placed[-2:], "cancel", {"reason": "customer"})


@contextmanager
def staged(scenario: Scenario, folder: Path, checkout: Path = CHECKOUT) -> Iterator[Shops]:
    """Everything up as in `make run`, with the lab's leases and backoffs."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        servers = stack.enter_context(temporary({}))
        ports = Ports(servers.root / "ports.json")
        own = environment(servers)
        beside = CHANNELS if scenario.lab.beside else ()
        where = addresses.found(own, ports, beside)
        _policy(folder / "config", scenario)
        os.environ.update(
            {
                **own,
                "WEB_WORKERS": "1",
                "GUNICORN_CMD_ARGS": "--no-control-socket",
                **keys.kept(folder / "keys.json"),
                **where.variables(),
                "WAYBILL_CONFIG": str(folder / "config"),
                "PYTHONPATH": str(checkout),
                "ADMIN_LOGIN": "admin",
                **({"SHIPBOB_MAIN_CALLS": str(GRANTED)} if beside else {}),
            }
        )
        erp = erps.chosen(scenario.lab.erp, where, servers.database_url, ports, stack)
        os.environ.update(erp.variables)
        _prepare(erp, beside)
        processes = stack.enter_context(Processes(os.environ, folder, checkout))
        processes.start("simulators", f"exec {sys.executable} -m local.simulators")
        _wait([f"{url}/_sim/faults" for url in (*where.played.values(), erp.played)], processes)
        lines = parse_procfile((checkout / "Procfile").read_text()).processes
        for name in scenario.lab.lines:
            processes.start(name, lines[name])
            _wait([f"{where.web}/healthz"], processes)
        desks = {name: Desk(url) for name, url in where.played.items()}
        silent: Any = _Silent()  # it only ever says something
        counter = Counter(desks, erp, silent, where.web, channels=beside)
        subscribe(erp.account, beside)
        yield Shops(scenario, folder, servers, processes, counter, erp)


class _Silent:
    def say(self, words: str) -> None:
        return


def _policy(folder: Path, scenario: Scenario) -> None:
    """The shipped files (with every channel's, where they sell), with the lab's settings and schedules."""
    if scenario.lab.beside:
        configured(CHECKOUT / "config", folder, CHANNELS)
        accounts = folder / "accounts.toml"
        accounts.write_text(accounts.read_text().replace("stock = { every = 60 }", "stock = { every = 3 }"))
    else:
        shutil.copytree(
            CHECKOUT / "config", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
    (folder / "settings.toml").write_text(policy.toml(policy.shipped(scenario.lab)))
    schedules = policy.scheduled(
        {**policy.SCHEDULES, "poll": 3.0 if scenario.lab.beside else 15.0, **scenario.lab.schedules}
    )
    (folder / "schedules.toml").write_text(policy.toml(schedules))


def _prepare(erp: Erp, beside: tuple[Channel, ...]) -> None:
    from app.database import migrate

    migrate()
    seed(erp.account, beside)
    warm(erp.account, beside)
    erp.prepare()


def _wait(wanted: list[str], processes: Processes) -> None:
    from labs.failure.stage import answers

    end = time.monotonic() + 300
    while wanted := [url for url in wanted if not answers(url)]:
        if processes.dead() or time.monotonic() > end:
            raise ServerError(f"not up: {', '.join(wanted)}; ended: {processes.dead()}")
        time.sleep(0.2)


# Amazon may say what it keeps after a quarter of an hour, and of refunds after two days only (its manifest): a lab that waits for seconds has an
# Amazon that says it sooner.
LATE = {"acknowledgement": 900, "cancellation": 900, "stock": 900, "price": 900, "shipment": 60, "shipment_2": 60}
SOONER = tuple(
    Cut(
        "connectors/amazon/manifest.toml",
        f'[writes.{name}]\nonce_by = "unique"\nsettles_after = {seconds}\n',
        f'[writes.{name}]\nonce_by = "unique"\nsettles_after = 5\n',
    )
    for name, seconds in LATE.items()
)
SCENARIOS = (
    *(
        Scenario(
            f"every-bad-day-{system}",
            f"{system} goes through every bad day a system can have",
            every_bad_day(system),
            {"orders": 80, "booked": 60, "parcels": 40, "mails": 40},
            beyond=beyond,
            bound=faults_of_mail if beyond else None,
            patience=90,
            longest=1800,
            cast="shops",
        )
        for system, beyond in (
            ("shopify", frozenset[str]()),
            ("netsuite", frozenset[str]()),
            ("shipbob", frozenset[str]()),
            ("mail", frozenset(("mail",))),  # SMTP has neither key nor look-up: the manifest names the window
        )
    ),
    *(
        Scenario(
            f"every-bad-day-{erp}",
            f"{erp} keeps the orders, and goes through every bad day a system can have",
            every_bad_day(erp),
            {"orders": 80, "booked": 60, "parcels": 40, "mails": 40},
            Lab(erp=erp),
            patience=erps.PATIENCE[erp],
            longest=1800,
            cast="shops",
        )
        for erp in ("business_central", "sap_s4hana")
    ),
    *(
        Scenario(
            f"every-bad-day-{one.system}",
            f"{one.system} sells beside the web shop, and goes through every bad day a system can have",
            every_bad_day_beside(one),
            {"beside": 50, "booked": 50, "parcels": 20, "faults": 20},
            Lab(beside=True, cuts=SOONER if one.system == "amazon" else ()),
            patience=120,
            longest=1800,
            cast="shops",
        )
        for one in CHANNELS
        if one.system
        != "marketplace"  # it has no connector: what a partner sends by our own API is in the labs of security and load
    ),
)
