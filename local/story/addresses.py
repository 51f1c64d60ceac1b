"""Where everything of a checkout answers: the hub's faces, and every system that it talks to."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.ports import LOCALHOST, Ports

SYSTEMS = ("shopify", "shipbob", "mail")  # the ERP is a choice: local/story/erps.py


@dataclass(frozen=True)
class Addresses:
    """`systems`: where each simulator answers over HTTP, what it holds included (/_sim/...); `smtp` where mails go."""

    web: str
    flower: str
    systems: Mapping[str, str]
    smtp: str

    def variables(self) -> dict[str, str]:
        """What config/accounts.toml and the web face read."""
        return {
            "PUBLIC_URL": self.web,
            "PLAIN_HTTP": "1",
            "MAIL_URL": self.smtp,
            "MAIL_DESK_URL": self.systems["mail"],
            **{f"{name.upper()}_MAIN_URL": url for name, url in self.systems.items() if name != "mail"},
        }


def found(environ: Mapping[str, str], ports: Ports) -> Addresses:
    """Free ports, the same as at the last start where they are still free. `environ` has PORT and FLOWER_PORT."""
    systems = {name: _http(ports.get(f"sim-{name}")) for name in SYSTEMS}
    return Addresses(
        web=_http(int(environ["PORT"])),
        flower=_http(int(environ["FLOWER_PORT"])),
        systems=systems,
        smtp=f"smtp://{LOCALHOST}:{ports.get('sim-smtp')}",
    )


def _http(port: int) -> str:
    return f"http://{LOCALHOST}:{port}"
