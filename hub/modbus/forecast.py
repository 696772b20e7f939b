"""What a bus will look like before it exists: the arbiter itself, run in simulated time."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.modbus.arbiter import POLL, Arbiter
from hub.modbus.line import Reply
from hub.modbus.polls import Poll
from hub.modbus.requests import WireCost

_TURNS = 20_000  # bounds the work; a bus at 115200 baud makes as many in three minutes
_PERIODS = 20
_MOST_PERIODS = (
    1000  # a bus that is hardly overloaded falls behind slowly: its first missed period comes late
)


@dataclass(frozen=True, slots=True)
class PollOutlook:
    """One poll. lateness_s: the longest it waited for the bus. kept: share of its periods with a turn."""

    poll: Poll
    cost_s: float
    lateness_s: float
    kept: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """A whole bus. cycle_s: the wire time of everything once. utilisation: more than 1 cannot work."""

    polls: tuple[PollOutlook, ...]
    cycle_s: float
    utilisation: float

    @property
    def late(self) -> tuple[PollOutlook, ...]:
        """The polls that cannot keep their period."""
        return tuple(poll for poll in self.polls if poll.kept < 1)


def forecast(polls: Sequence[Poll], cost: WireCost) -> Outlook:
    """Return how polls will share a bus."""
    arbiter = Arbiter(polls, 1.0, 0.0)
    utilisation = sum(poll.cost_s / poll.interval_s for poll in polls)
    horizon_s = _periods(utilisation) * max((poll.interval_s for poll in polls), default=0.0)
    cycles = {id(poll): 0 for poll in polls}
    lateness_s = {id(poll): 0.0 for poll in polls}
    now_s = 0.0
    for _ in range(_TURNS):
        if now_s >= horizon_s:
            break
        turn = arbiter.next(now_s)
        if turn is None or turn.kind != POLL:
            now_s = arbiter.wake_s(now_s)
            continue
        begin_s = max(now_s, turn.not_before_s)
        now_s = begin_s + cost.read_s(turn.request.reply_bytes)
        ended = arbiter.done(turn, Reply(bytes(turn.request.reply_bytes), "", 0, begin_s, now_s), now_s)
        if ended is not None and ended.started_s is not None:
            key = id(ended.poll)
            cycles[key] += 1
            lateness_s[key] = max(lateness_s[key], ended.started_s - ended.release_s)
    kept = {id(poll): _share(cycles[id(poll)], arbiter.missed_of(poll)) for poll in polls}
    if utilisation > 1 and min(kept.values()) == 1:
        kept = dict.fromkeys(kept, 1 / utilisation)  # too many turns to see it: all will lose alike
    outlooks = tuple(PollOutlook(poll, poll.cost_s, lateness_s[id(poll)], kept[id(poll)]) for poll in polls)
    return Outlook(outlooks, sum(poll.cost_s for poll in polls), utilisation)


def _periods(utilisation: float) -> float:
    if utilisation <= 1:
        return _PERIODS
    return min(_MOST_PERIODS, _PERIODS * max(1.0, 1 / (utilisation - 1)))


def _share(cycles: int, missed: int) -> float:
    return cycles / max(1, cycles + missed) if missed else 1.0
