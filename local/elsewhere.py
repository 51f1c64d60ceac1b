"""A server that somebody else runs and that a configured URL names."""

from dataclasses import dataclass

from local.errors import NotOurs


@dataclass(frozen=True)
class Elsewhere:
    """Used as it is: starting and stopping it mean nothing to us, killing it is refused."""

    url: str

    def start(self) -> None:
        """Nothing to do: it runs already."""

    def stop(self) -> None:
        """Nothing to do: it is not ours to stop."""

    def kill(self) -> None:
        """Always NotOurs."""
        raise NotOurs("this server was configured by URL; only a server of our own can be killed for a test")

    def running(self) -> bool:
        """Taken for granted."""
        return True
