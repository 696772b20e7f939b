"""Hole memory and halving."""

import json
from collections.abc import Collection
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.chores import find_hole
from hub.modbus.holes import Findings, HoleMemory
from hub.modbus.json_io import HoleFile
from hub.modbus.points import Point
from hub.modbus.polls import Poll, points_in, poll_of
from hub.modbus.requests import Request, serial_cost
from hub.modbus.settings import Transmitter
from tests.hub.modbus.maps import points

COST = serial_cost(1200)


class Refusing:
    """A slave with addresses it does not have and a longest read it bears. asked: every request it got."""

    def __init__(self, missing: Collection[int], longest: int = 125) -> None:
        self.missing = set(missing)
        self.longest = longest
        self.asked: list[Request] = []

    def answer(self, request: Request) -> bytes | None:
        self.asked.append(request)
        wanted = set(range(request.address, request.address + request.count))
        return (
            bytes(2 * request.count) if not wanted & self.missing and request.count <= self.longest else None
        )


def investigate(slave: Refusing, poll: Poll, request: Request) -> Findings:
    """Run a chore against a slave."""
    steps = find_hole(poll, request)
    asked = next(steps)
    try:
        while True:
            asked = steps.send(slave.answer(asked))
    except StopIteration as end:
        findings: Findings = end.value
        return findings


def settle(slave: Refusing, mine: list[Point]) -> tuple[Poll, int]:
    """Poll until nothing is refused, learning as the service does. Returns the poll and the rounds."""
    memory = HoleMemory()
    transmitter = Transmitter("d", 1, 1.0, tuple(mine), model="m")
    poll = poll_of("bus", [transmitter], COST, memory)
    for rounds in range(60):
        refused = [request for request in poll.requests if slave.answer(request) is None]
        if not refused:
            return poll, rounds
        findings = investigate(slave, poll, refused[0])
        memory.learn("m", "holding", findings)
        spans = {(span.start, span.end) for span in findings.refused}
        gone = {point for point in points_in(poll, refused[0]) if point.span in spans}
        poll = poll_of("bus", [transmitter], COST, memory, poll.refused | gone)
    raise AssertionError("it never settled")


@given(points(span=60), st.sets(st.integers(0, 70), max_size=12), st.integers(4, 125))
def test_settles_on_exactly_the_points_that_can_be_read(
    mine: list[Point], missing: set[int], longest: int
) -> None:
    slave = Refusing(missing, longest)
    poll, _ = settle(slave, mine)
    legal = {point for point in mine if not missing & set(range(point.address, point.end))}
    assert set(poll.points) >= legal - _inside_illegal(mine, missing)
    assert all(not missing & set(range(point.address, point.end)) for point in poll.points)


def _inside_illegal(mine: list[Point], missing: set[int]) -> set[Point]:
    """Points that overlap a bigger illegal one are only found legal after that is out, or stay with it."""
    bad = [point for point in mine if missing & set(range(point.address, point.end))]
    return {p for p in mine for b in bad if p is not b and p.address < b.end and b.address < p.end}


def test_asks_less_with_every_step_and_never_the_same_twice() -> None:
    mine = [Point(f"m{n}", address=2 * n) for n in range(16)]
    slave = Refusing({9})
    poll = poll_of("bus", [Transmitter("d", 1, 1.0, tuple(mine))], COST, HoleMemory())
    assert len(poll.requests) == 1
    findings = investigate(slave, poll, poll.requests[0])
    assert findings.holes == [(9, 10)]
    assert findings.refused == []
    assert len(set(slave.asked)) == len(slave.asked)
    assert len(slave.asked) <= 1 + 2 * 4  # the request again, then two halves on each of log2(16) levels


def test_a_refusal_that_does_not_repeat_teaches_nothing() -> None:
    mine = [Point("a", address=0), Point("b", address=2)]
    poll = poll_of("bus", [Transmitter("d", 1, 1.0, tuple(mine))], COST, HoleMemory())
    assert investigate(Refusing(()), poll, poll.requests[0]) == Findings()


def test_a_slave_that_bears_only_short_reads_is_read_in_short_ones() -> None:
    mine = [Point(f"m{n}", address=n) for n in range(32)]
    poll, _ = settle(Refusing((), longest=10), mine)
    assert max(request.count for request in poll.requests) <= 10
    assert len(poll.points) == 32


def test_what_was_learned_survives_the_file(tmp_path: Path) -> None:
    file = HoleFile(tmp_path / "holes.json")
    memory = file.load()
    memory.learn("model", "holding", Findings(holes=[(3, 9)], longest=20))
    memory.learn("model", "coil", Findings(longest=64))
    memory.stop_bridging("field/4")
    file.save(memory)
    again = HoleFile(tmp_path / "holes.json").load()
    assert again.avoid("model") == memory.avoid("model")
    assert again.avoid("model").holes == frozenset({("holding", 3, 9)})
    assert (again.avoid("model").max_registers, again.avoid("model").max_bits) == (20, 64)
    assert not again.avoid("field/4").bridges


def test_a_damaged_file_is_a_fresh_start(tmp_path: Path) -> None:
    path = tmp_path / "holes.json"
    for text in ("{", "[]", '{"model": 7}', json.dumps({"model": {"holes": [["holding", "x"]]}})):
        path.write_text(text)
        assert HoleFile(path).load().avoid("model").bridges
