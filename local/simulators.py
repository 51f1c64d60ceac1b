"""Every system that the hub talks to in a demonstration, played over HTTP by one process that remembers what it was told."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import files
from local.ports import LOCALHOST
from local.servers import CHECKOUT
from local.story.catalogue import (
    ARTICLES,
    BOOKS,
    LIFE,
    NEW,
    PRICED,
    REFUSED_BUYER,
    RUG,
    RUSH,
    RUSH_STOCK,
    SHELVED,
    STOCK,
    VASE,
    VASES,
)

Environ = Mapping[str, str]
Settings = dict[str, Any]


def _shopify(environ: Environ) -> Settings:
    return {
        "access_token": environ["SHOPIFY_MAIN_ACCESS_TOKEN"],
        "secret": environ["SHOPIFY_MAIN_SECRET"],
        "old_secret": environ["SHOPIFY_MAIN_SECRET_OLD"],
        "points": {"rate": 1000, "burst": 20000},  # the Plus plan, as config/accounts.toml says
    }


def _netsuite(environ: Environ) -> Settings:
    return {
        "client_id": environ["NETSUITE_MAIN_CLIENT_ID"],
        "certificate_id": environ["NETSUITE_MAIN_CERTIFICATE_ID"],
        "private_key": environ["NETSUITE_MAIN_PRIVATE_KEY"],
        "items": {
            **{article.erp: article.sku for article in (*ARTICLES, *LIFE)},
            **{one.erp: {"sku": one.sku, "prices": {"1/1": {"1": PRICED[one.sku]}}} for one in BOOKS},
        },
        "stock": {
            **{article.erp: {"1": STOCK} for article in (*ARTICLES, RUG) if article.ships},
            RUSH.erp: {"1": RUSH_STOCK},
            VASE.erp: {"3": VASES},
        },
        "refused_emails": [REFUSED_BUYER],
        "latency": 0.005,
    }


def _business_central(environ: Environ) -> Settings:
    return {
        "client_id": environ["BUSINESS_CENTRAL_MAIN_CLIENT_ID"],
        "client_secret": environ["BUSINESS_CENTRAL_MAIN_CLIENT_SECRET"],
        "items": {
            **{article.sku: {"inventory": STOCK, "unitPrice": 0} for article in (*ARTICLES, *LIFE)},
            **{sku: {"unitPrice": price} for sku, price in PRICED.items()},
        },
        "refused_emails": [REFUSED_BUYER],
        "requests": 60_000,
        "latency": 0.005,
    }


def _sap_s4hana(environ: Environ) -> Settings:
    return {
        "user": environ["SAP_S4HANA_MAIN_USER"],
        "password": environ["SAP_S4HANA_MAIN_PASSWORD"],
        "items": {**{article.sku: STOCK for article in (*ARTICLES, *LIFE)}, **dict.fromkeys(PRICED, 0)},
        "prices": PRICED,
        "refused_emails": [REFUSED_BUYER],
        "latency": 0.005,
    }


def _shipbob(environ: Environ) -> Settings:
    return {
        "token": environ["SHIPBOB_MAIN_TOKEN"],
        "webhook_url": f"{environ['PUBLIC_URL']}/hooks/shipbob-main",
        "webhook_secret": environ["SHIPBOB_MAIN_SECRET"],
        "stock": {
            **dict.fromkeys((one.sku for one in (*ARTICLES, RUG, NEW) if one.ships), STOCK),
            RUSH.sku: RUSH_STOCK,
        },
        "ship_after": 20,
        "deliver_after": 4,
        "limit": int(environ.get("SHIPBOB_MAIN_CALLS") or 150),
        "partial_share": 0.2,
        "freight_share": 0.2,
        "duplicate_share": 0.08,
        "reorder_share": 0.08,
        "lost_share": 0.03,
        "allow_http": True,
        "retry_factor": 0.2,
    }


def _bigcommerce(environ: Environ) -> Settings:
    return {
        "access_token": environ["BIGCOMMERCE_MAIN_ACCESS_TOKEN"],
        "secret": environ["BIGCOMMERCE_MAIN_SECRET"],
        "old_secret": environ["BIGCOMMERCE_MAIN_SECRET_OLD"],
        "store_hash": "wb1demo",
        "locations": (1,),
        "quota": 3000,
        "allow_http": True,
    }


def _salesforce_commerce(environ: Environ) -> Settings:
    return {
        "organization": "f_ecom_zzwb_001",
        "site": "WaybillShop",
        "client_id": environ["SALESFORCE_COMMERCE_MAIN_CLIENT_ID"],
        "client_secret": environ["SALESFORCE_COMMERCE_MAIN_CLIENT_SECRET"],
    }


def _square(environ: Environ) -> Settings:
    """Its dashboard has our address and the key that it made for it; the subscription that the hub asks for is the same."""
    own = ("application_id", "application_secret", "refresh_token", "application_token")
    return {
        **{name: environ[f"SQUARE_MAIN_{name.upper()}"] for name in own},
        "webhook_url": f"{environ['PUBLIC_URL']}/hooks/square-main",
        "refunds_take": 1.5,
        "secret": environ["SQUARE_MAIN_SIGNATURE_KEY"],
        "old_secret": environ["SQUARE_MAIN_SIGNATURE_KEY_OLD"],
        "locations": ("LOC1", "LOC2"),
    }


def _amazon(environ: Environ) -> Settings:
    """No queue, and a clock two minutes and a half behind: Amazon tells of what is two minutes old, and nobody waits for it here."""
    own = ("client_id", "client_secret", "refresh_token")
    return {
        **{name: environ[f"AMAZON_MAIN_{name.upper()}"] for name in own},
        "skus": SHELVED,
        "queue": "",
        "skew": -150,
        "generous": 100,
    }


def _marketplace(environ: Environ) -> Settings:
    return {}


def _maker(environ: Environ) -> Settings:
    """He is sent purchase orders, and tells of what he sends."""
    return {
        "client_id": environ["MAKER_MAIN_CLIENT_ID"],
        "client_secret": environ["MAKER_MAIN_CLIENT_SECRET"],
        "secrets": [environ["MAKER_MAIN_SECRET"]],
        "limits": [],
    }


def _mail(environ: Environ) -> Settings:
    return {"smtp_port": urlsplit(environ["MAIL_URL"]).port}


# Name of the play: (connector, the variable that says where it answers, its settings). Who has no address is not in the play.
CAST: dict[str, tuple[str, str, Callable[[Environ], Settings]]] = {
    "shopify": ("shopify", "SHOPIFY_MAIN_URL", _shopify),
    "netsuite": ("netsuite", "NETSUITE_MAIN_URL", _netsuite),
    "business_central": ("business_central", "BUSINESS_CENTRAL_MAIN_URL", _business_central),
    "sap_s4hana": ("sap_s4hana", "SAP_S4HANA_MAIN_URL", _sap_s4hana),
    "shipbob": ("shipbob", "SHIPBOB_MAIN_URL", _shipbob),
    "bigcommerce": ("bigcommerce", "BIGCOMMERCE_MAIN_URL", _bigcommerce),
    "salesforce_commerce": ("salesforce_commerce", "SALESFORCE_COMMERCE_MAIN_URL", _salesforce_commerce),
    "square": ("square", "SQUARE_MAIN_URL", _square),
    "amazon": ("amazon", "AMAZON_MAIN_URL", _amazon),
    "marketplace": ("direct", "MARKETPLACE_MAIN_URL", _marketplace),
    "maker": ("acme", "MAKER_MAIN_URL", _maker),
    "mail": ("smtp", "MAIL_DESK_URL", _mail),
}

KEPT_UNDER = {"shopify": "memory"}  # what a simulator calls its memory file, where not `path`


def main(environ: Environ = os.environ) -> None:
    """Serves until it is told to end. Memory: WAYBILL_VAR/sim/<name>.jsonl."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    memory = Path(environ.get("WAYBILL_VAR", CHECKOUT / "var")) / "sim"
    memory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stage:
        for name in [name for name, (_, variable, _) in CAST.items() if environ.get(variable)]:
            print(f"{name} answers at {stage.enter_context(play(name, environ, memory))}", flush=True)
        if environ.get("PRICE_FILES_URL"):
            stage.enter_context(_folder(environ, memory.parent / "files"))
        done.wait()
    os._exit(0)  # late effects (threads that still sleep) die with the vendor


def _folder(environ: Environ, folder: Path) -> Any:
    """Where price files lie, over SFTP."""
    port = urlsplit(environ["PRICE_FILES_URL"]).port or 0
    known = (environ["PRICE_FILES_USER"], environ["PRICE_FILES_SECRET"])
    return files.served(folder, port, known, environ["PRICE_FILES_KEY"])


def play(name: str, environ: Environ, memory: Path) -> Any:
    """The simulator, ready to be entered; gives its address."""
    connector, variable, settings = CAST[name]
    module = import_module(f"connectors.{connector}.simulator")
    port = urlsplit(environ[variable]).port
    simulator = module.create({KEPT_UNDER.get(name, "path"): str(memory / f"{name}.jsonl"), **settings(environ)})
    return simulator.served(LOCALHOST, port)


if __name__ == "__main__":
    main()
