"""The environment that the shipped processes get from a checkout running by itself."""

import json
import secrets
from pathlib import Path

from local.kept import secret
from local.ports import Ports
from local.servers import Servers

SECRETS = ("SECRET_KEY", "FLOWER_PASSWORD", "ADMIN_PASSWORD")


def environment(servers: Servers) -> dict[str, str]:
    """Addresses, ports and secrets as variables; the same again at the next start over the same data root.

    DATABASE_URL, REDIS_URL, PORT, FLOWER_PORT, FLOWER_BASIC_AUTH, and each of SECRETS (url-safe, 32 characters).
    """
    ports = Ports(servers.root / "ports.json")
    kept = _kept(servers.root / "secrets.json")
    return {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "PORT": str(ports.get("web")),
        "FLOWER_PORT": str(ports.get("flower")),
        "FLOWER_BASIC_AUTH": f"waybill:{kept['FLOWER_PASSWORD']}",
        **kept,
    }


def _kept(file: Path) -> dict[str, str]:
    known = json.loads(file.read_text()) if file.exists() else {}
    whole = {name: known.get(name) or secrets.token_urlsafe(24) for name in SECRETS}
    secret(file, json.dumps(whole, indent=1))
    return whole
