"""What a simulated bus counted, seen from the slaves' side."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

_KEPT_LATENESSES = 2000


@dataclass(slots=True)
class SlaveCounters:
    """One slave. spacing_max_s: the longest time between two requests to it."""

    requests: int = 0
    replies: int = 0
    exceptions: int = 0
    first_poll_s: float | None = None
    last_poll_s: float | None = None
    spacing_max_s: float = 0.0

    def note_request(self, now_s: float) -> None:
        """Count a request to this slave."""
        self.requests += 1
        if self.last_poll_s is None:
            self.first_poll_s = now_s
        else:
            self.spacing_max_s = max(self.spacing_max_s, now_s - self.last_poll_s)
        self.last_poll_s = now_s


@dataclass(slots=True)
class Counters:
    """The whole bus.

    requests: sound frames, to whomever. malformed: frames whose checksum or speed was wrong.
    unanswered: requests to nobody, or to a slave that kept silent.
    too_soon: requests that did not wait for the silence after a reply, or for the rest that the slave needs.
    collisions: frames that met another on the wire.
    busy_s: how long the line was not free for another request.
    """

    requests: int = 0
    malformed: int = 0
    unanswered: int = 0
    too_soon: int = 0
    collisions: int = 0
    broadcasts: int = 0
    busy_s: float = 0.0
    slaves: dict[int, SlaveCounters] = field(default_factory=dict)
    lateness_s: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_LATENESSES))

    @property
    def replies(self) -> dict[int, int]:
        """Return the replies sent per address."""
        return {address: slave.replies for address, slave in self.slaves.items()}

    def slave(self, address: int) -> SlaveCounters:
        """Return the counters of one address."""
        return self.slaves.setdefault(address, SlaveCounters())

    def lateness_us(self, share: float) -> float:
        """Return how late replies left, in microseconds: the given share of the last ones left no later."""
        late = sorted(self.lateness_s)
        return 1e6 * late[min(len(late) - 1, int(share * len(late)))] if late else 0.0

    def report(self, elapsed_s: float) -> dict[str, Any]:
        """Return everything as JSON can carry it."""
        return {
            "elapsed_s": round(elapsed_s, 3),
            "utilisation": round(self.busy_s / elapsed_s, 4) if elapsed_s > 0 else 0.0,
            "requests": self.requests,
            "malformed": self.malformed,
            "unanswered": self.unanswered,
            "too_soon": self.too_soon,
            "collisions": self.collisions,
            "broadcasts": self.broadcasts,
            "late_us_p50": round(self.lateness_us(0.5), 1),
            "late_us_p99": round(self.lateness_us(0.99), 1),
            "slaves": {
                str(address): {
                    "requests": slave.requests,
                    "replies": slave.replies,
                    "exceptions": slave.exceptions,
                    "spacing_max_ms": round(1000 * slave.spacing_max_s, 1),
                }
                for address, slave in sorted(self.slaves.items())
            },
        }
