"""What a bus will look like."""

from hub.modbus.forecast import forecast
from hub.modbus.holes import HoleMemory
from hub.modbus.polls import polls_of
from hub.modbus.requests import serial_cost
from tests.hub.modbus.virtual_bus import transmitter

COST = serial_cost(9600)


def test_a_bus_with_room_keeps_every_period() -> None:
    polls = polls_of("bus", [transmitter(unit) for unit in range(1, 6)], COST, HoleMemory())
    outlook = forecast(polls, COST)
    assert outlook.late == ()
    assert outlook.utilisation == sum(poll.cost_s for poll in polls)
    assert all(poll.kept == 1.0 for poll in outlook.polls)


def test_a_bus_without_room_names_who_is_late() -> None:
    polls = polls_of("bus", [transmitter(unit, 0.1, 60) for unit in range(1, 6)], COST, HoleMemory())
    outlook = forecast(polls, COST)
    assert outlook.utilisation > 1
    assert outlook.late
    assert all(poll.kept < 1 for poll in outlook.late)


def test_what_slaves_need_to_think_counts() -> None:
    thinking = serial_cost(9600, latency_s=0.02)
    devices = [transmitter(unit) for unit in range(1, 4)]
    quick = forecast(polls_of("bus", devices, COST, HoleMemory()), COST)
    slow = forecast(polls_of("bus", devices, thinking, HoleMemory()), thinking)
    assert slow.cycle_s > quick.cycle_s + 0.059


def test_a_bus_that_is_hardly_overloaded_does_not_look_as_if_all_were_kept() -> None:
    devices = [transmitter(unit) for unit in range(1, 6)]
    used = forecast(polls_of("bus", devices, COST, HoleMemory()), COST).utilisation
    for overload in (1.0001, 1.01, 1.03):
        hasty = [transmitter(unit, used / overload) for unit in range(1, 6)]
        outlook = forecast(polls_of("bus", hasty, COST, HoleMemory()), COST)
        assert outlook.utilisation > 1
        carried = sum(poll.kept * poll.cost_s / poll.poll.interval_s for poll in outlook.polls)
        assert 0.98 < carried < 1.01
