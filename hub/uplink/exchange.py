"""One request and what came of it: the seam between the uplink's decisions and HTTP.

Owns the words; leaves what an answer means to outcome, and the sockets to http_io.
"""

from typing import NamedTuple, Protocol

REFUSED = "refused"  # no connection came about: no route, no name, nobody listening
CUT = "cut"  # the connection ended before the answer was whole
TIMEOUT = "timeout"  # the answer did not come in time
CERTIFICATE = "certificate"  # TLS could not be trusted


class Request(NamedTuple):
    """path: from the root of the cloud, query included, already percent-encoded. bearer: empty for none."""

    method: str
    path: str
    body: bytes = b""
    bearer: str = ""
    prefer: str = ""

    def with_bearer(self, bearer: str) -> "Request":
        """Return the same request in the name of another token."""
        return self._replace(bearer=bearer)


class Answer(NamedTuple):
    """A whole answer. sent_s, received_s: monotonic. Headers that were absent are empty."""

    status: int
    body: bytes = b""
    retry_after: str = ""
    date: str = ""
    sent_s: float = 0.0
    received_s: float = 0.0


class Failure(NamedTuple):
    """No whole answer came. Whether the cloud did what was asked is unknown, except after REFUSED."""

    kind: str
    detail: str


class Traffic(NamedTuple):
    """What went over the wire since the start: HTTP heads and bodies, without TLS and TCP."""

    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


class Transport(Protocol):
    """The way to the cloud."""

    async def exchange(self, request: Request) -> Answer | Failure:
        """Send one request; never raises for what the network or the server does."""
        ...

    def traffic(self) -> Traffic:
        """Return what was sent and received so far."""
        ...
