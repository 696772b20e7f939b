"""How far each node is with an update, and whose turn it is to get bytes.

Rule 1: only what a node says moves its state; what it says of another release moves nothing.
Rule 2: REVERTED counts once the node had everything: before that, it is what remained of an earlier trial.
Rule 3: a node has one chunk on its way, and all together get RATE_BYTES_PER_S; the queue is by turns.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

from shared_schema.text import clean_text
from shared_schema.update_messages import ChunkWanted, UpdateReport, UpdateState

WAITING = "waiting"
OFFERED = "offered"
FETCHING = "fetching"
TRIAL = "trial"
CONFIRMED = "confirmed"
REVERTED = "rolled back"
REFUSED = "refused"
FAILED = "failed"
SILENT = "silent"
STATES = (WAITING, OFFERED, FETCHING, TRIAL, CONFIRMED, REVERTED, REFUSED, FAILED, SILENT)
BEFORE_TRIAL = frozenset({OFFERED, FETCHING})
UNDER_WAY = BEFORE_TRIAL | {TRIAL}
TROUBLE = frozenset({REVERTED, REFUSED, FAILED, SILENT})

RATE_BYTES_PER_S = 200_000  # of a site's Wi-Fi; readings take less than a hundredth of it
BURST_BYTES = 8_192  # what may go out at once: less than a fiftieth of a second of a slow Wi-Fi

# What a node says → the states in which it counts, and the state it leads to.
_MEANING = MappingProxyType({
    UpdateState.FETCHING: (BEFORE_TRIAL, FETCHING),
    UpdateState.TRIAL: (UNDER_WAY, TRIAL),
    UpdateState.CONFIRMED: (UNDER_WAY, CONFIRMED),
    UpdateState.REVERTED: (frozenset({FETCHING, TRIAL}), REVERTED),
    UpdateState.REFUSED: (BEFORE_TRIAL, REFUSED),
    UpdateState.FAILED: (BEFORE_TRIAL, FAILED),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodeUpdate:
    """Where one node is. text: why, when it is in trouble. stage: with which stage it began."""

    state: str = WAITING
    text: str = ""
    stage: int = 0

    def moved(self, state: str, text: str = "") -> "NodeUpdate":
        """Return this node in another state."""
        return replace(self, state=state, text=text)

    def after(self, report: UpdateReport, version: str, *, has_all: bool) -> "NodeUpdate":
        """Return this node after what it said. has_all: it was sent every byte of the release."""
        states, state = _MEANING[report.state]
        is_unread = report.state == UpdateState.REFUSED and not report.version  # it did not trust the offer
        if self.state not in states or not (report.version == version or is_unread):
            return self
        if state == REVERTED and self.state == FETCHING and not has_all:
            return self
        return self if state == self.state else self.moved(state, clean_text(report.text))


class Pace:
    """Who is sent a chunk next, and when. Times are monotonic."""

    def __init__(self, now_s: float) -> None:
        self._wanted: dict[str, ChunkWanted] = {}
        self._budget = float(BURST_BYTES)
        self._filled_s = now_s

    def want(self, device_key: str, wanted: ChunkWanted) -> None:
        """Take what a node asks for; it replaces what it asked for before."""
        self._wanted[device_key] = wanted

    def forget(self, device_key: str) -> None:
        """Send a node nothing any more."""
        self._wanted.pop(device_key, None)

    def clear(self) -> None:
        """Send nobody anything any more."""
        self._wanted.clear()

    def next(self, now_s: float) -> tuple[str, ChunkWanted] | None:
        """Return whose turn it is, None while it is nobody's."""
        self._budget = min(BURST_BYTES, self._budget + (now_s - self._filled_s) * RATE_BYTES_PER_S)
        self._filled_s = now_s
        if not self._wanted or self._budget < self._first.length:
            return None
        self._budget -= self._first.length
        device_key = next(iter(self._wanted))
        return device_key, self._wanted.pop(device_key)

    def wait_s(self) -> float | None:
        """Return how long until it is somebody's turn; None while nobody wants anything."""
        if not self._wanted:
            return None
        return max(0.0, (self._first.length - self._budget) / RATE_BYTES_PER_S)

    @property
    def _first(self) -> ChunkWanted:
        return next(iter(self._wanted.values()))
