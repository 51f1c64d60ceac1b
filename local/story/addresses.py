"""Where everything of a checkout answers: the hub's faces, and every system that it talks to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from local.ports import LOCALHOST, Ports
from local.story.channels import CHANNELS, Channel

SYSTEMS = ("shopify", "shipbob", "mail")  # the ERP is a choice: local/story/erps.py
MORE = ("maker",)  # the marketplace's supplier


@dataclass(frozen=True)
class Addresses:
    """`systems`: where each simulator answers over HTTP, what it holds included (/_sim/...); `channels`: those beside the web shop, where
    they are played; `smtp` where mails go, `files` where price files lie."""

    web: str
    flower: str
    systems: Mapping[str, str]
    smtp: str
    channels: Mapping[str, str] = field(default_factory=dict)
    files: str = ""

    @property
    def played(self) -> dict[str, str]:
        """Every simulator but the ERP's."""
        return {**self.systems, **self.channels}

    def variables(self) -> dict[str, str]:
        """What config/accounts.toml and the web face read."""
        return {
            "PUBLIC_URL": self.web,
            "PLAIN_HTTP": "1",
            "MAIL_URL": self.smtp,
            "PRICE_FILES_URL": self.files,
            "MAIL_DESK_URL": self.systems["mail"],
            **{f"{name.upper()}_MAIN_URL": url for name, url in self.systems.items() if name != "mail"},
            **{one.variable: self.channels[one.system] for one in CHANNELS if one.system in self.channels},
        }


def found(environ: Mapping[str, str], ports: Ports, channels: Iterable[Channel] = ()) -> Addresses:
    """Free ports, the same as at the last start where they are still free. `environ` has PORT and FLOWER_PORT; `channels` are those
    that are played beside the web shop."""
    beside = tuple(channels)
    systems = {name: _http(ports.get(f"sim-{name}")) for name in (*SYSTEMS, *(MORE if beside else ()))}
    return Addresses(
        web=_http(int(environ["PORT"])),
        flower=_http(int(environ["FLOWER_PORT"])),
        systems=systems,
        channels={one.system: _http(ports.get(f"sim-{one.system}")) for one in beside},
        files=f"sftp://{LOCALHOST}:{ports.get('sftp')}/prices" if beside else "",
        smtp=f"smtp://{LOCALHOST}:{ports.get('sim-smtp')}",
    )


def _http(port: int) -> str:
    return f"http://{LOCALHOST}:{port}"
