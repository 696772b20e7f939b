"""What goes wrong in a simulated fleet, and when.

A fault is written name@start-end or name@start-end:share, in real seconds since the start; share from 0 to 1.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from hub.errors import Problem
from tools.sim.water import noise

OUTAGE = "outage"
LOST_ANSWER = "lost-answer"
NAMES = {
    OUTAGE: "hubs cannot reach the cloud; share: of the hubs",
    LOST_ANSWER: "the cloud stores a batch, but its answer is lost; share: of the answers",
}
_FORM = re.compile(r"(?P<name>[a-z-]+)@(?P<start>\d+(\.\d+)?)-(?P<end>\d+(\.\d+)?)(:(?P<share>\d*\.?\d+))?")
_HUB_CHANNEL, _ANSWER_CHANNEL = 2, 3


class Fault(NamedTuple):
    """One entry."""

    name: str
    start_s: float
    end_s: float
    share: float = 1.0

    def holds(self, now_s: float) -> bool:
        """Return True from start to end."""
        return self.start_s <= now_s < self.end_s


class Faults:
    """All of a run. Which hub or answer is hit follows from the seed."""

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0) -> None:
        self._faults = tuple(faults)
        self._seed = seed

    def is_cut_off(self, hub: int, now_s: float) -> bool:
        """Return True while a hub cannot reach the cloud."""
        return self._hits(OUTAGE, _HUB_CHANNEL, hub, now_s)

    def loses_answer(self, number: int, now_s: float) -> bool:
        """Return True when the answer with this number does not arrive."""
        return self._hits(LOST_ANSWER, _ANSWER_CHANNEL, number, now_s)

    def names(self, now_s: float) -> str:
        """Return what is wrong now, for people."""
        return ", ".join(fault.name for fault in self._faults if fault.holds(now_s)) or "none"

    def _hits(self, name: str, channel: int, number: int, now_s: float) -> bool:
        return any(
            fault.name == name
            and fault.holds(now_s)
            # Each fault hits others than the one before.
            and (noise(self._seed + place, channel, number) + 1) / 2 < fault.share
            for place, fault in enumerate(self._faults)
        )


def parse_faults(texts: Sequence[str], seconds: float) -> tuple[list[Fault], list[Problem]]:
    """Read entries such as outage@20-40:0.5. Return the faults, and everything wrong with the entries."""
    faults: list[Fault] = []
    problems: list[Problem] = []
    for text in (part for entry in texts for part in entry.split(",") if part):
        match = _FORM.fullmatch(text)
        if match is None:
            hint = "write name@start-end or name@start-end:share, such as outage@20-40:0.5"
            problems.append(Problem("--faults", text, "cannot be read", hint))
            continue
        fault = Fault(match["name"], float(match["start"]), float(match["end"]), float(match["share"] or 1.0))
        reason, hint = _objection(fault, seconds)
        if reason:
            problems.append(Problem("--faults", text, reason, hint))
        faults.append(fault)
    return faults, problems


def _objection(fault: Fault, seconds: float) -> tuple[str, str]:
    if fault.name not in NAMES:
        return "is not a known fault", f"there are: {', '.join(NAMES)}"
    if fault.end_s <= fault.start_s:
        return "ends before it starts", ""
    if fault.end_s > seconds:
        return f"lies outside the {seconds:g} seconds of the run", "raise --seconds"
    if not 0 < fault.share <= 1:
        return f"has a share of {fault.share:g}", "more than 0, at most 1"
    return "", ""
