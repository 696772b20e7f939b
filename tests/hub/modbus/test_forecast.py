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
