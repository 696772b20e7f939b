"""Reads that are made once, in gaps of the schedule: why a request is refused, whether a block is shifted."""

from collections.abc import Callable, Generator
from typing import Any

from hub.modbus.holes import Findings, halve
from hub.modbus.plan import spans_of
from hub.modbus.polls import Poll, points_in
from hub.modbus.requests import READ_TABLES, Request, read
from hub.modbus.shift import check, suspects

_PATIENCE_S = 5.0  # a chore that found no gap for so long takes its turn all the same
_BETWEEN_CHECKS_S = 6 * 3600.0

Steps = Generator[Request, bytes | None, Any]


class Chore:
    """A few reads of one slave, and what to do with what they say.

    finish: takes what the steps returned. abandon: called instead when the slave stopped answering.
    """

    def __init__(
        self,
        steps: Steps,
        finish: Callable[[Any], None],
        abandon: Callable[[], None] = lambda: None,
        *,
        now_s: float,
    ) -> None:
        self.overdue_at_s = now_s + _PATIENCE_S
        self.request: Request | None = None
        self._steps = steps
        self._finish = finish
        self._abandon = abandon
        self._go(None)

    def take(self, data: bytes | None) -> None:
        """Take the data of the request, None when it was refused; request is the next, or None at the end."""
        self._go(data)

    def drop(self) -> None:
        """Give up."""
        self.request = None
        self._abandon()

    def _go(self, data: bytes | None) -> None:
        try:
            self.request = self._steps.send(data) if self.request else next(self._steps)
        except StopIteration as end:
            self.request = None
            self._finish(end.value)


def find_hole(poll: Poll, request: Request) -> Steps:
    """Ask a refused request once more and, if it stays refused, halve it. Returns Findings."""
    if (yield request) is not None:
        return Findings()
    spans = spans_of(points_in(poll, request))
    table = READ_TABLES[request.function]
    findings = Findings()
    steps = halve(spans, findings)
    try:
        address, count = next(steps)
        while True:
            data = yield read(request.unit, table, address, count)
            address, count = steps.send(data is not None)
    except StopIteration:
        return findings


def find_shift(poll: Poll) -> Steps:
    """Check every request of a poll that reads over holes. Returns whether one of them is shifted."""
    for request in poll.requests:
        points = suspects(points_in(poll, request), request)
        if points and (yield from check(points, request)):
            return True
    return False


def wants_check(poll: Poll, now_s: float) -> bool:
    """Return whether it is time to check a poll for shifted blocks, and there is anything to check."""
    if poll.checked_s is not None and now_s - poll.checked_s < _BETWEEN_CHECKS_S:
        return False
    poll.checked_s = now_s
    return any(suspects(points_in(poll, request), request) for request in poll.requests)
