"""A total that goes on while the counter behind it wraps, restarts or is replaced.

Rule 1: a total never falls.
Rule 2: what goes back is believed only when the next value confirms it; until then the total is held. So a
        device that answers one poll with 0 adds nothing, and a wrap loses nothing.
Rule 3: the total is base + scale · (raw - origin). Only wrap, restart, replacement and a new scale move base
        and origin. A saved state may therefore be old: the raw counter itself carries what came since, and
        only a restart that happened after the save can be misjudged.

What needs a wrap to be known: the counter is read at least four times per wrap. What needs max_rate_per_s:
telling a restart from a device that was replaced by one that had counted before, and a wild forward jump.
"""

from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple, Protocol

WRAP_SHARE = 0.25  # a wrap is believed when it means an advance of less than this share of the wrap
REPLACED_SHARE = 0.5  # without a known rate: a restart above this share of the last value is another device
BURST_S = 60.0  # meters refresh their registers in jumps; a rate is judged over no less than this


class CounterState(NamedTuple):
    """All a counter must remember. raw is the last value believed."""

    base: float
    origin: float
    scale: float
    raw: float


Verdict = Literal["", "held", "glitch", "wrapped", "restarted", "replaced"]


class Counted(NamedTuple):
    """A total and what was noticed; held: the total is the last one believed."""

    total: float
    verdict: Verdict


class CounterStore(Protocol):
    """Keeps the states of counters over a restart of the hub."""

    def load(self) -> dict[str, CounterState]:
        """Return what was saved, by counter name; nothing when there is nothing usable."""
        ...

    def save(self, states: dict[str, CounterState]) -> None:
        """Replace what was saved."""
        ...


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """What is known of a counter, in the unit of the values it gives.

    wrap: the value at which it starts over. max_rate_per_s: more than this cannot flow.
    noise: it may fall back by this much without having restarted.
    """

    wrap: float | None = None
    max_rate_per_s: float | None = None
    noise: float = 0.0


class _Doubt(NamedTuple):
    """A value that does not follow from the last one, waiting for the next to confirm it."""

    raw: float
    at_s: float


class Counter:
    """Turns raw values in order of time into totals."""

    def __init__(self, settings: CounterSettings, state: CounterState | None = None) -> None:
        self._settings = settings
        self.state = state
        self._seen_at_s: float | None = None
        self._doubt: _Doubt | None = None

    def accept(self, raw: float, at_s: float, scale: float = 1.0, offset: float = 0.0) -> Counted:
        """Return the total after raw, read at a monotonic moment. offset: the total when raw is 0."""
        if self.state is None:
            self.state = CounterState(offset, 0.0, scale, raw)
        if scale != self.state.scale:
            self.state = CounterState(self._total(), self.state.raw, scale, self.state.raw)
        verdict = self._judge(self.state, raw, at_s)
        return Counted(self._total(), verdict)

    def _judge(self, state: CounterState, raw: float, at_s: float) -> Verdict:
        doubt = self._doubt
        if self._follows(state.raw, raw, self._seen_at_s, at_s):
            self._doubt = None
            self._believe(state._replace(raw=max(raw, state.raw)), at_s)
            return "glitch" if doubt else ""
        if doubt is None or not self._follows(doubt.raw, raw, doubt.at_s, at_s):
            self._doubt = _Doubt(raw, at_s)
            return "held"
        self._doubt = None
        verdict, rebased = self._explained(state, doubt)
        self._believe(rebased._replace(raw=max(raw, doubt.raw)), at_s)
        return verdict

    def _follows(self, before: float, raw: float, before_s: float | None, at_s: float) -> bool:
        return -self._settings.noise <= raw - before <= self._most(before_s, at_s)

    def _most(self, before_s: float | None, at_s: float) -> float:
        """Return the largest advance that can have happened since."""
        rate = self._settings.max_rate_per_s
        if rate is None or before_s is None:
            return inf
        return rate * max(at_s - before_s, BURST_S)

    def _explained(self, state: CounterState, doubt: _Doubt) -> tuple[Verdict, CounterState]:
        """Return what happened between the last value believed and the confirmed one."""
        most = self._most(self._seen_at_s, doubt.at_s)
        wrap = self._settings.wrap
        if wrap is not None and 0 <= doubt.raw + wrap - state.raw <= min(most, wrap * WRAP_SHARE):
            return "wrapped", state._replace(origin=state.origin - wrap)
        if doubt.raw < state.raw and 0 <= doubt.raw <= min(most, self._restart_limit(state)):
            return "restarted", state._replace(base=self._total(), origin=0.0)
        return "replaced", state._replace(base=self._total(), origin=doubt.raw)

    def _restart_limit(self, state: CounterState) -> float:
        return inf if self._settings.max_rate_per_s is not None else abs(state.raw) * REPLACED_SHARE

    def _believe(self, state: CounterState, at_s: float) -> None:
        self.state = state
        self._seen_at_s = at_s

    def _total(self) -> float:
        state = self.state
        return 0.0 if state is None else state.base + state.scale * (state.raw - state.origin)
