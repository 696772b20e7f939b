"""What a person sees of a fleet: one line while it runs, a table at the end."""

import sys
from collections.abc import Sequence
from typing import TextIO

from tools.sim_fleet.fleet import Moment
from tools.sim_fleet.plan import FleetPlan
from tools.sim_fleet.verdict import Verdict

PLAIN_EVERY_S = 10.0  # a line that cannot be redrawn is printed this often
_ERASE = "\r\x1b[K"


class Progress:
    """The line. In a terminal it is redrawn in place."""

    def __init__(self, plan: FleetPlan, stream: TextIO | None = None) -> None:
        self._plan = plan
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._next_s = 0.0
        self._phase = ""

    def show(self, moment: Moment) -> None:
        """Show how it stands."""
        if self._is_terminal:
            self._write(_ERASE + self._line(moment))
        elif moment.phase != self._phase or moment.elapsed_s >= self._next_s:
            self._phase = moment.phase
            self._next_s = moment.elapsed_s + PLAIN_EVERY_S
            self._write(self._line(moment) + "\n")

    def say(self, sentence: str) -> None:
        """Show a sentence that stays."""
        self._write((_ERASE if self._is_terminal else "") + sentence + "\n")

    def _line(self, moment: Moment) -> str:
        parts = (
            f"{moment.phase} {moment.elapsed_s:.0f} of {self._plan.seconds:g} s",
            f"{moment.hubs_online:,} of {self._plan.hubs:,} hubs online",
            f"{moment.rows_made:,} rows made",
            f"{moment.rows_waiting:,} waiting",
            f"{moment.batches_per_s:.1f} batches/s",
            f"95 % within {1000 * moment.p95_s:.0f} ms",
            f"faults: {moment.faults}",
        )
        return " · ".join(parts)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def report(plan: FleetPlan, end: Moment, verdict: Verdict, troubles: Sequence[str]) -> str:
    """Return the closing lines."""
    figures = (
        ("hubs", f"{plan.hubs:,} with {plan.devices} devices each"),
        ("rows made", f"{verdict.rows_made:,}"),
        ("stored in the cloud", f"{verdict.rows_stored:,}"),
        ("stored twice", f"{verdict.duplicates:,}"),
        ("missing, unexplained", f"{verdict.unexplained:,}"),
        ("missing, explained", f"{verdict.explained:,}"),
        ("refused", f"{verdict.rows_rejected:,}"),
        ("not confirmed to the hubs", f"{verdict.rows_waiting:,}"),
        ("batches", f"{end.batches:,}, 95 % within {1000 * end.p95_s:.0f} ms"),
        ("answers lost on purpose", f"{end.answers_lost:,}"),
    )
    width = max(len(name) for name, _ in figures)
    lines = [f"{name:{width}}  {value}" for name, value in figures]
    lines += [f"  {sentence}" for sentence in verdict.findings]
    if not verdict.is_complete:
        lines += [f"  {sentence}" for sentence in troubles]
    says = "nothing lost, nothing twice" if verdict.is_complete else "NOT complete, see above"
    return "\n".join([*lines, "", f"Verdict of the cloud's database: {says}."])
