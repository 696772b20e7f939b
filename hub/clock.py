"""When the wall clock can be believed, and what a monotonic moment is called on it.

Owns the decision; leaves reading the clocks to clock_io and the rhythm to clock_service.

Rule 1: nothing is stamped with a wall time that nobody vouched for; until then stamps count from the boot.
Rule 2: once known, the time is carried by the boot clock. The wall is followed only while it is vouched for,
        so a wall that is set wrong by hand or steps while unsynchronised moves no stamp.
Rule 3: a stamp that was given is never changed here. What was stored before the clock was known is stamped
        right by whoever stored it, with the offset that CameToBeKnown carries.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from hub.ports import Stamp
from shared_schema.enums import TimeQuality

Trust = Literal["kernel", "system", "cloud"]

PLAUSIBLE_FROM_MS = 1_735_689_600_000  # 2025-01-01: older than this software, so a clock before it is wrong
PLAUSIBLE_UNTIL_MS = 3_155_760_000_000  # 2070-01-01: a machine that says so lost its battery, not its age
DATE_RESOLUTION_MS = 1_000  # an HTTP Date header has whole seconds (RFC 9110, 5.6.7)
DRIFT_PPM = 200  # a quartz off by more than this is broken; how fast a server's word grows stale


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """Who is believed.

    trust: "kernel": the wall clock once the kernel calls it synchronised (NTP, chrony with rtcsync, PTP);
    "cloud": that, or the cloud's Date header where no time server answers; "system": the wall clock at once,
    for machines with a battery-backed clock.
    agreeing_hints: how many answers of the cloud must agree before they count.
    hint_width_ms: how exactly they must pin the time down.
    step_ms: a change of the wall larger than this is a step, smaller ones are slew.
    disagreement_ms: the wall and the cloud this far apart is worth an operator's attention.
    """

    trust: Trust = "cloud"
    agreeing_hints: int = 2
    hint_width_ms: float = 2_000.0
    step_ms: float = 500.0
    disagreement_ms: float = 30_000.0


class Observation(NamedTuple):
    """Both clocks read at one moment. is_synced: the kernel's word; None where it cannot be asked."""

    monotonic_s: float
    wall_ms: float
    is_synced: bool | None


class ServerTime(NamedTuple):
    """A server's whole-second time, read from an answer between two monotonic moments."""

    sent_s: float
    received_s: float
    date_ms: int


class CameToBeKnown(NamedTuple):
    """Once per boot and process. recorded_at_ms = ms since boot + offset_ms, for all that is PENDING."""

    offset_ms: int
    time_quality: int
    source: str


class Stepped(NamedTuple):
    """The wall moved by by_ms and was believed."""

    by_ms: int


class Bracket(NamedTuple):
    """What a server's answers leave possible for wall minus boot clock."""

    low_ms: float
    high_ms: float
    at_s: float
    answers: int

    @property
    def width_ms(self) -> float:
        """How much is left open."""
        return self.high_ms - self.low_ms

    @property
    def middle_ms(self) -> float:
        """The best guess."""
        return (self.low_ms + self.high_ms) / 2

    def aged(self, now_s: float) -> "Bracket":
        """Return the bracket as wide as drift may have made it since."""
        drift_ms = max(now_s - self.at_s, 0.0) * DRIFT_PPM / 1000
        return Bracket(self.low_ms - drift_ms, self.high_ms + drift_ms, now_s, self.answers)


def bracket_of(hint: ServerTime) -> Bracket:
    """Return what one answer says: its date was true at some moment between sending and receiving."""
    low_ms = hint.date_ms - hint.received_s * 1000
    high_ms = hint.date_ms + DATE_RESOLUTION_MS - hint.sent_s * 1000
    return Bracket(low_ms, high_ms, hint.received_s, 1)


def narrowed(before: Bracket | None, hint: ServerTime) -> Bracket:
    """Return the intersection of what was known and what an answer says; only the answer if they disagree."""
    fresh = bracket_of(hint)
    if before is None:
        return fresh
    aged = before.aged(hint.received_s)
    low_ms, high_ms = max(aged.low_ms, fresh.low_ms), min(aged.high_ms, fresh.high_ms)
    if low_ms > high_ms:
        return fresh
    return Bracket(low_ms, high_ms, hint.received_s, before.answers + 1)


def is_plausible(wall_ms: float) -> bool:
    """Return whether a hub running this software can live at that time."""
    return PLAUSIBLE_FROM_MS <= wall_ms < PLAUSIBLE_UNTIL_MS


class ClockTruth:
    """Decides from observations and hints what time it is; says so once, and when the wall stepped."""

    def __init__(self, settings: ClockSettings) -> None:
        self._settings = settings
        self._offset_ms: float | None = None
        self._known_since_s = 0.0
        self._is_vouched = False
        self._bracket: Bracket | None = None
        self._wall_offset_ms: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether stamps are wall times."""
        return self._offset_ms is not None

    @property
    def offset_ms(self) -> int | None:
        """Wall minus boot clock; None until known."""
        return None if self._offset_ms is None else round(self._offset_ms)

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return the wall time of a moment of this boot, or its ms since boot while nobody knows better."""
        since_boot_ms = monotonic_s * 1000
        if self._offset_ms is None:
            return Stamp(round(since_boot_ms), TimeQuality.PENDING)
        is_late = monotonic_s < self._known_since_s
        quality = TimeQuality.CORRECTED if is_late else TimeQuality.SYNCED
        return Stamp(round(since_boot_ms + self._offset_ms), quality)

    def observe(self, seen: Observation) -> CameToBeKnown | Stepped | None:
        """Take a look at both clocks; return what changed by it."""
        self._wall_offset_ms = seen.wall_ms - seen.monotonic_s * 1000
        self._is_vouched = self._is_vouched_for(seen)
        if not self._is_vouched:
            return None
        return self._adopt(self._wall_offset_ms, seen.monotonic_s, "the wall clock")

    def hint(self, hint: ServerTime) -> CameToBeKnown | Stepped | None:
        """Take the time an answer of the cloud carried; return what changed by it."""
        if hint.received_s < hint.sent_s or not is_plausible(hint.date_ms):
            return None
        self._bracket = narrowed(self._bracket, hint)
        is_needed = self._settings.trust == "cloud" and not self._is_vouched
        if not is_needed or not self._is_pinned_down(self._bracket):
            return None
        return self._adopt(self._nearest(self._bracket), hint.received_s, "the cloud")

    def disagreement_ms(self) -> int:
        """Return how far the time in use is from what the cloud says, 0 while that is within its limits."""
        ours = self._wall_offset_ms if self._offset_ms is None else self._offset_ms
        if ours is None or self._bracket is None or not self._is_pinned_down(self._bracket):
            return 0
        apart_ms = ours - min(max(ours, self._bracket.low_ms), self._bracket.high_ms)
        return round(apart_ms) if abs(apart_ms) > self._settings.disagreement_ms else 0

    def _is_vouched_for(self, seen: Observation) -> bool:
        if not is_plausible(seen.wall_ms):
            return False
        return self._settings.trust == "system" or seen.is_synced is True

    def _is_pinned_down(self, bracket: Bracket) -> bool:
        return (
            bracket.answers >= self._settings.agreeing_hints
            and bracket.width_ms <= self._settings.hint_width_ms
        )

    def _nearest(self, bracket: Bracket) -> float:
        """Return the offset in use, or the wall's, where the cloud confirms it; its own guess otherwise."""
        for offset_ms in (self._offset_ms, self._wall_offset_ms):
            if offset_ms is not None and bracket.low_ms <= offset_ms <= bracket.high_ms:
                return offset_ms
        return bracket.middle_ms

    def _adopt(self, offset_ms: float, at_s: float, source: str) -> CameToBeKnown | Stepped | None:
        before_ms, self._offset_ms = self._offset_ms, offset_ms
        if before_ms is None:
            self._known_since_s = at_s
            return CameToBeKnown(round(offset_ms), TimeQuality.CORRECTED, source)
        by_ms = offset_ms - before_ms
        return Stepped(round(by_ms)) if abs(by_ms) > self._settings.step_ms else None
