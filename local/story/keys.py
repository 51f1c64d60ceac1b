"""Keys and secrets of the demonstration's accounts, made at the first start and kept under var/."""

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path

import asyncssh

from connectors.netsuite.simulator import private_key
from local.kept import secret


def _word(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(24)


def _whsec() -> str:
    """A Standard Webhooks secret: its bytes stand in base64 behind `whsec_`."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


MADE: dict[str, Callable[[], str]] = {
    "WAYBILL_SECRET_KEY": _word,
    "SHOPIFY_MAIN_ACCESS_TOKEN": lambda: _word("shpat_"),
    "SHOPIFY_MAIN_SECRET": _word,
    "SHOPIFY_MAIN_SECRET_OLD": _word,
    "NETSUITE_MAIN_ACCOUNT_ID": lambda: "1234567",
    "NETSUITE_MAIN_CLIENT_ID": _word,
    "NETSUITE_MAIN_CERTIFICATE_ID": _word,
    "NETSUITE_MAIN_PRIVATE_KEY": private_key,
    "BUSINESS_CENTRAL_MAIN_CLIENT_ID": _word,
    "BUSINESS_CENTRAL_MAIN_CLIENT_SECRET": _word,
    "BUSINESS_CENTRAL_MAIN_CLIENT_STATE": _word,
    "SAP_S4HANA_MAIN_USER": lambda: "WAYBILL_COMM",
    "SAP_S4HANA_MAIN_PASSWORD": _word,
    "BIGCOMMERCE_MAIN_ACCESS_TOKEN": _word,
    "BIGCOMMERCE_MAIN_SECRET": _word,
    "BIGCOMMERCE_MAIN_SECRET_OLD": _word,
    "SALESFORCE_COMMERCE_MAIN_CLIENT_ID": _word,
    "SALESFORCE_COMMERCE_MAIN_CLIENT_SECRET": _word,
    "SQUARE_MAIN_APPLICATION_ID": lambda: _word("sq0idp-"),
    "SQUARE_MAIN_APPLICATION_SECRET": lambda: _word("sq0csp-"),
    "SQUARE_MAIN_REFRESH_TOKEN": _word,
    "SQUARE_MAIN_APPLICATION_TOKEN": _word,
    "SQUARE_MAIN_SIGNATURE_KEY": _word,
    "SQUARE_MAIN_SIGNATURE_KEY_OLD": _word,
    "AMAZON_MAIN_CLIENT_ID": lambda: _word("amzn1.application-oa2-client."),
    "AMAZON_MAIN_CLIENT_SECRET": _word,
    "AMAZON_MAIN_REFRESH_TOKEN": lambda: _word("Atzr|"),
    "AMAZON_MAIN_AWS_KEY_ID": _word,
    "AMAZON_MAIN_AWS_SECRET": _word,
    "MAKER_MAIN_CLIENT_ID": _word,
    "MAKER_MAIN_CLIENT_SECRET": _word,
    "MAKER_MAIN_SECRET": _whsec,
    "PRICE_FILES_USER": lambda: "feeds",
    "PRICE_FILES_SECRET": _word,
    "PRICE_FILES_KEY": lambda: asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(),
    "SHIPBOB_MAIN_TOKEN": lambda: _word("pat-"),
    "SHIPBOB_MAIN_SECRET": _whsec,
}


def kept(file: Path) -> dict[str, str]:
    """Each of MADE by its variable's name; the same again at the next start."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    whole = {name: known.get(name) or make() for name, make in MADE.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    secret(file, json.dumps(whole, indent=1))
    host = asyncssh.import_private_key(whole["PRICE_FILES_KEY"]).export_public_key().decode().strip()
    return {**whole, "PRICE_FILES_HOST": host}
