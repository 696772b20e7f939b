"""The check for slaves that move later registers up in silence."""

from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.chores import find_shift, wants_check
from hub.modbus.holes import HoleMemory
from hub.modbus.points import Point
from hub.modbus.polls import Poll, poll_of
from hub.modbus.requests import Request, serial_cost
from hub.modbus.settings import Transmitter
from tests.hub.modbus.maps import filled
from tools.sim.registers import Registers

POINTS = [Point(f"m{n}", address=address, type="float32") for n, address in enumerate((0, 2, 8, 14))]
HOLES = ((4, 2), (10, 4))


def poll() -> Poll:
    """Return a poll that reads all points in one request, over both holes."""
    found = poll_of("bus", [Transmitter("d", 1, 1.0, tuple(POINTS))], serial_cost(9600), HoleMemory())
    assert len(found.requests) == 1
    return found


class Meter:
    """A slave whose values drift with every read."""

    def __init__(self, values: list[float], drift: float, *, shifts: bool) -> None:
        self._values = values
        self._drift = drift
        self._registers = Registers()
        self._registers.shifts = shifts
        if shifts:
            for start, count in HOLES:
                self._registers.dig("holding", start, count)

    def answer(self, request: Request) -> bytes:
        self._values = [value * (1 + self._drift) for value in self._values]
        self._registers.measured["holding"].update(filled(POINTS, self._values))
        head = bytes((3,)) + request.address.to_bytes(2, "big") + request.count.to_bytes(2, "big")
        return self._registers.answer(head)[2:]


def verdict(meter: Meter) -> bool | None:
    """Run the check."""
    steps = find_shift(poll())
    try:
        request = next(steps)
        while True:
            request = steps.send(meter.answer(request))
    except StopIteration as end:
        answer: bool | None = end.value
        return answer


@given(st.lists(st.floats(1, 1000), min_size=4, max_size=4), st.floats(-0.02, 0.02))
def test_values_that_merely_move_are_no_shift(values: list[float], drift: float) -> None:
    assert verdict(Meter(values, drift, shifts=False)) is False


def test_a_slave_that_moves_registers_up_is_found_out() -> None:
    assert verdict(Meter([230.0, 5.0, 50.0, 1234.0], 0.001, shifts=True)) is True


def test_a_poll_is_checked_rarely_and_only_when_it_reads_over_holes() -> None:
    mine = poll()
    assert wants_check(mine, 100.0)
    assert not wants_check(mine, 3700.0)
    assert wants_check(mine, 100.0 + 7 * 3600.0)
    side_by_side = (Point("a", address=0), Point("b", address=1))
    plain = poll_of("bus", [Transmitter("d", 1, 1.0, side_by_side)], serial_cost(9600), HoleMemory())
    assert not wants_check(plain, 100.0)
