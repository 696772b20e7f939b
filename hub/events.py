"""What an operator should know: once per cause while it lasts, and never more than the cloud should be told.

A trouble is named by its code and device, and reported when it begins, when it grows worse and when it ends.
Rule 1: what the cloud was told last is, in the end, how things are. A report that may not go out now goes
        out later, unless the trouble has changed back meanwhile.
Rule 2: reports are rationed by severity, so small ones cannot bury a big one. Critical ones are not rationed.
Rule 3: nothing suppressed is forgotten: the next report says how many were.

news (level info) has no end: it is forgotten when it was not repeated for REPEAT_S.
"""

import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from hub.ports import Reading, Stamp
from shared_schema.enums import Lane
from shared_schema.limits import TEXT_LENGTH
from shared_schema.metrics import ERROR
from shared_schema.text import clean_text

LEVELS = ("info", "warning", "error", "critical")
REPEAT_S = 60.0  # the shortest time between two reports of the same trouble
MOST_TROUBLES = 5_000  # codes times devices of a large site; more is a fault of its own
MOST_WAITING = 1_000  # reports kept in memory while the outbox takes none
CODE_LENGTH = 60
HOURLY_REPORTS: Mapping[str, int] = MappingProxyType({"info": 30, "warning": 60, "error": 120})


class Report(NamedTuple):
    """One row for the cloud. at_s: monotonic. worst: the trouble's level, even in a report of its end."""

    level: str
    worst: str
    code: str
    message: str
    device_key: str | None
    at_s: float
    correlation_id: str
    is_active: bool
    lasted_s: float
    suppressed: int


@dataclass(slots=True)
class Trouble:
    """One cause while it lasts. told_level: what the cloud was last told; empty: that all is well."""

    level: str
    code: str
    message: str
    device_key: str | None
    correlation_id: str
    began_at_s: float
    changed_at_s: float
    is_active: bool = True
    told_level: str = ""
    told_at_s: float | None = None

    @property
    def level_to_tell(self) -> str:
        """What the cloud should know."""
        return self.level if self.is_active else ""


@dataclass(slots=True)
class Ration:
    """A token bucket: so many at once, and as many again spread over an hour."""

    per_hour: int
    tokens: float
    filled_at_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Use one token if there is one."""
        self.tokens = min(self.per_hour, self.tokens + (now_s - self.filled_at_s) * self.per_hour / 3600)
        self.filled_at_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def new_correlation_id() -> str:
    """Return an id that ties the reports and log lines of one trouble together."""
    return f"{random.getrandbits(48):012x}"


@dataclass(slots=True)
class EventBook:
    """All troubles there are, and the reports that wait for the outbox, oldest first."""

    new_id: Callable[[], str] = new_correlation_id
    waiting: deque[Report] = field(default_factory=deque)
    suppressed: int = 0
    _troubles: dict[tuple[str, str | None], Trouble] = field(default_factory=dict)
    _rations: dict[str, Ration] = field(
        default_factory=lambda: {level: Ration(most, most) for level, most in HOURLY_REPORTS.items()}
    )

    @property
    def active(self) -> list[Trouble]:
        """What is wrong now, worst first."""
        active = [trouble for trouble in self._troubles.values() if trouble.is_active]
        return sorted(active, key=lambda trouble: -LEVELS.index(trouble.level))

    @property
    def has_deferred(self) -> bool:
        """Whether catch_up() will have something to report."""
        return any(trouble.told_level != trouble.level_to_tell for trouble in self._troubles.values())

    def begin(
        self, level: str, code: str, message: str, device_key: str | None, now_s: float
    ) -> Trouble | None:
        """Note that something is wrong; return it when that is new or worse than before."""
        level = level if level in LEVELS else "error"
        trouble = self._troubles.get((code, device_key))
        if trouble is None:
            if len(self._troubles) >= MOST_TROUBLES and not self._forget_settled(now_s):
                self.suppressed += 1
                return None
            trouble = Trouble(level, code, "", device_key, "", now_s, now_s, is_active=False)
            self._troubles[code, device_key] = trouble
        is_worse = LEVELS.index(level) > LEVELS.index(trouble.level)
        is_repeated = trouble.is_active and not is_worse and not self._is_old_news(trouble, now_s)
        trouble.changed_at_s = now_s
        if is_repeated:
            return None
        if not trouble.is_active:
            trouble.correlation_id, trouble.began_at_s = self.new_id(), now_s
        trouble.level, trouble.message, trouble.is_active = level, clean_text(message), True
        if level == "info":
            trouble.told_level = ""
        self._tell_or_count(trouble, now_s)
        return trouble

    def end(self, code: str, device_key: str | None, now_s: float) -> Trouble | None:
        """Note that it is right again; return what was wrong, if anything was."""
        trouble = self._troubles.get((code, device_key))
        if trouble is None or not trouble.is_active:
            return None
        trouble.is_active, trouble.changed_at_s = False, now_s
        self._tell_or_count(trouble, now_s)
        return trouble

    def catch_up(self, now_s: float) -> None:
        """Report what had to wait; forget what is settled."""
        for trouble in self._troubles.values():
            self._tell(trouble, now_s)
        self._forget_settled(now_s)

    def _tell_or_count(self, trouble: Trouble, now_s: float) -> None:
        if not self._tell(trouble, now_s):
            self.suppressed += 1

    def _tell(self, trouble: Trouble, now_s: float) -> bool:
        """Queue a report if the cloud knows it otherwise; return False when that may not be now."""
        if trouble.told_level == trouble.level_to_tell:
            return True
        if len(self.waiting) >= MOST_WAITING or not self._may_tell(trouble, now_s):
            return False
        self.waiting.append(self._report_of(trouble))
        trouble.told_level, trouble.told_at_s = trouble.level_to_tell, now_s
        self.suppressed = 0
        return True

    def _may_tell(self, trouble: Trouble, now_s: float) -> bool:
        if trouble.level == "critical":
            return True
        is_too_soon = trouble.told_at_s is not None and now_s - trouble.told_at_s < REPEAT_S
        is_worse = trouble.is_active and trouble.told_level not in {"", trouble.level}
        return (not is_too_soon or is_worse) and self._rations[trouble.level].take(now_s)

    def _report_of(self, trouble: Trouble) -> Report:
        return Report(
            level=trouble.level if trouble.is_active else "info",
            worst=trouble.level,
            code=trouble.code,
            message=trouble.message,
            device_key=trouble.device_key,
            at_s=trouble.changed_at_s,
            correlation_id=trouble.correlation_id,
            is_active=trouble.is_active,
            lasted_s=trouble.changed_at_s - trouble.began_at_s,
            suppressed=self.suppressed,
        )

    def _is_old_news(self, trouble: Trouble, now_s: float) -> bool:
        return trouble.level == "info" and now_s - trouble.changed_at_s >= REPEAT_S

    def _forget_settled(self, now_s: float) -> bool:
        """Drop what ended, was told and may be told again at once; return whether that made room."""
        settled = [
            key
            for key, trouble in self._troubles.items()
            if now_s - trouble.changed_at_s >= REPEAT_S
            and (trouble.level == "info" or trouble.level_to_tell == trouble.told_level == "")
        ]
        for key in settled:
            del self._troubles[key]
        return bool(settled)


def reading_of(report: Report, hub_key: str, stamp: Stamp) -> Reading:
    """Return the row of a report; without a device it is the hub's own."""
    context: dict[str, object] = {
        "correlation_id": report.correlation_id,
        "state": "raised" if report.is_active else "cleared",
    }
    if not report.is_active:
        context["lasted_s"] = round(report.lasted_s, 1)
    if report.suppressed:
        context["suppressed"] = report.suppressed
    values = (
        report.level,
        clean_text(report.code, CODE_LENGTH),
        clean_text(report.message),
        json.dumps(context)[:TEXT_LENGTH],
    )
    key = report.device_key or hub_key
    return Reading(key, ERROR.name, stamp.recorded_at_ms, values, time_quality=stamp.time_quality)


def lane_of(report: Report) -> int:
    """Return the lane: from warning upwards, begin and end alike, reports do not wait behind telemetry."""
    return Lane.LIVE if report.worst == "info" else Lane.ALARM
