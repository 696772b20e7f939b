"""The timetable of faults: what breaks in the demo, and when.

A fault is written name@start (an instant) or name@start-end (a span), seconds since the first sample.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from hub.errors import ConfigError, Problem

SPANS = {
    "cut": "the network between hub and cloud is cut",
    "black-hole": "the cloud takes connections and never answers",
    "cloud-500": "the cloud answers 500",
    "cloud-429": "the cloud asks to slow down",
    "cloud-401": "the cloud refuses the token",
    "lost-answer": "the cloud stores, but its answer is lost",
    "half-answer": "the cloud's answer breaks off in the middle",
    "dead-slave": "one transmitter is silent",
    "slow-slave": "one transmitter answers late",
    "noise": "bits flip on the line of one transmitter",
    "pull-cable": "the serial adapter is pulled, and plugged again under another name",
    "disk-full": "the hub's disk takes no more",
    "node-wifi": "one node has no Wi-Fi",
    "second-hub": "the hub is away, and a second one of the site takes its nodes",
    "lock-outbox": "another process holds the outbox locked",
}
INSTANTS = {
    "kill-hub": "the hub is killed (SIGKILL) and started again",
    "corrupt-outbox": "the hub is killed and a page of its outbox overwritten before it starts again",
    "kill-node": "a node stops between two writes, and starts again",
    "power-cut-node": "a node loses its power in the middle of a write to its flash, and starts again",
}


class Fault(NamedTuple):
    """One entry of the timetable. end_s is None for an instant."""

    name: str
    start_s: float
    end_s: float | None

    def is_active(self, now_s: float) -> bool:
        """Return True while a span holds."""
        return self.end_s is not None and self.start_s <= now_s < self.end_s


def parse_faults(text: str, seconds: float) -> tuple[Fault, ...]:
    """Read a timetable such as cut@20-45,kill-hub@50.

    Raises ConfigError naming every entry that cannot be.
    """
    problems: list[Problem] = []
    faults = [
        fault
        for entry in filter(None, (part.strip() for part in text.split(",")))
        if (fault := _parse_entry(entry, seconds, problems)) is not None
    ]
    if problems:
        raise ConfigError(problems)
    return tuple(sorted(faults, key=lambda fault: fault.start_s))


def _parse_entry(entry: str, seconds: float, problems: list[Problem]) -> Fault | None:
    name, _, times = entry.partition("@")
    try:
        fault = Fault(name, *_parse_times(times))
    except ValueError:
        problems.append(
            Problem("--faults", entry, "no time given", "name@start or name@start-end, in seconds")
        )
        return None
    reason, hint = _objection(fault, seconds)
    if reason:
        problems.append(Problem("--faults", entry, reason, hint))
        return None
    return fault


def _parse_times(text: str) -> tuple[float, float | None]:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text)
    if match is None:
        raise ValueError(text)
    start, end = match.groups()
    return float(start), float(end) if end else None


def _objection(fault: Fault, seconds: float) -> tuple[str, str]:
    if fault.name not in SPANS and fault.name not in INSTANTS:
        return "is not a known fault", "there are: " + ", ".join([*SPANS, *INSTANTS])
    if fault.name in SPANS and fault.end_s is None:
        return "needs an end", f"{fault.name}@{fault.start_s:g}-{fault.start_s + 10:g}"
    if fault.name in INSTANTS and fault.end_s is not None:
        return "happens at one instant", f"{fault.name}@{fault.start_s:g}"
    if fault.end_s is not None and fault.end_s <= fault.start_s:
        return "ends before it starts", ""
    if max(fault.start_s, fault.end_s or 0) > seconds:
        return f"lies outside the {seconds:g} seconds of the run", "raise --seconds"
    return "", ""


def describe(faults: Sequence[Fault], now_s: float) -> str:
    """Name what is broken now, for the screen."""
    return ", ".join(fault.name for fault in faults if fault.is_active(now_s)) or "none"
