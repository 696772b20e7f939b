"""Who may use the bus, and when."""

from itertools import pairwise

from hub.modbus.line import Reply
from hub.modbus.profiles import Limits
from hub.modbus.requests import Request
from hub.modbus.settings import BreakerSettings, Transmitter
from tests.hub.modbus.virtual_bus import VirtualBus, transmitter


def test_every_poll_keeps_its_period_on_the_grid() -> None:
    bus = VirtualBus([transmitter(unit) for unit in (1, 2, 3, 4)])
    bus.run(30.0)
    for unit in (1, 2, 3, 4):
        starts = bus.starts_of(unit)
        assert len(starts) >= 29
        assert max(b - a for a, b in pairwise(starts)) < 1.001
    assert bus.arbiter.missed() == 0


def test_a_command_goes_before_polls_that_wait() -> None:
    bus = VirtualBus([transmitter(unit, 0.1, 100) for unit in (1, 2, 3)])
    bus.run(1.0)
    answers: list[Reply] = []
    bus.arbiter.commands.append((Request(3, 6, 40, 1, (7,)), answers.append))
    before = len(bus.sent)
    bus.step()
    assert bus.sent[before][1] == "command"
    assert answers
    assert not answers[0].fault


def test_a_dead_slave_does_not_cost_the_healthy_their_periods() -> None:
    bus = VirtualBus([transmitter(unit) for unit in range(1, 9)], dead={4})
    bus.run(120.0)
    for unit in set(range(1, 9)) - {4}:
        assert bus.arbiter.missed(unit) == 0
        starts = bus.starts_of(unit)
        assert len(starts) >= 119
    assert bus.arbiter.slaves[4].breaker.is_open


def test_a_slave_that_just_failed_waits_behind_those_that_answer() -> None:
    bus = VirtualBus([transmitter(1, 0.1), transmitter(2, 2.0), transmitter(3, 2.0)], dead={1})
    while not bus.arbiter.slaves[1].errors:
        bus.step()
    bus.now_s = 2.5  # everybody is due, the slave that failed with the earliest deadline
    sent = len(bus.sent)
    for _ in range(3):
        bus.step()
    assert {request.unit for _, _, request in bus.sent[sent : sent + 2]} == {2, 3}


def test_probes_of_a_dead_slave_stay_within_their_share() -> None:
    share = 0.05
    bus = VirtualBus([transmitter(unit) for unit in (1, 2)], dead={2}, breaker=BreakerSettings(share=share))
    bus.run(10.0)
    begun = len(bus.sent)
    bus.run(310.0)
    probes = [moment for moment, kind, _ in bus.sent[begun:] if kind == "probe"]
    assert probes
    assert len(probes) * bus.timeout_s / 300.0 <= share + 0.01


def test_a_slave_that_comes_back_is_polled_again_on_its_old_grid() -> None:
    bus = VirtualBus([transmitter(unit) for unit in (1, 2)])
    bus.run(5.0)
    grid = bus.starts_of(2)[0]
    bus.dead = {2}
    bus.run(30.0)
    assert bus.arbiter.slaves[2].breaker.is_open
    bus.dead = set()
    bus.run(60.0)
    late = [start for start in bus.starts_of(2) if start > 45.0]
    assert len(late) >= 14
    assert all(min((start - grid) % 1.0, (grid - start) % 1.0) < 0.01 for start in late)


def test_a_damaged_reply_is_asked_for_once_more() -> None:
    bus = VirtualBus([transmitter(1)])
    bus.run(2.5)
    bus.garbled = [1]
    bus.run(3.5)
    assert all(not cycle.failed for _, cycle in bus.cycles)
    assert bus.arbiter.slaves[1].errors == {"crc": 1}
    assert any(cycle.is_retried for _, cycle in bus.cycles)


def test_no_second_try_when_others_would_miss_their_period() -> None:
    bus = VirtualBus([transmitter(1), *(transmitter(unit, 0.1, 4) for unit in (2, 3))], timeout_s=0.3)
    bus.run(2.05)
    bus.garbled = [1]
    bus.run(3.5)
    assert sum(cycle.failed == "crc" for _, cycle in bus.cycles) == 1


def test_after_a_timeout_a_slave_is_first_asked_what_cannot_be_mistaken() -> None:
    bus = VirtualBus([transmitter(1)])
    bus.run(2.5)
    bus.dead = {1}
    while bus.sent[-1][2].unit not in bus.dead or not bus.arbiter.slaves[1].errors:
        bus.step()
    bus.dead = set()
    sent = len(bus.sent)
    bus.run(bus.now_s + 2.0)
    kinds = [(kind, request.count) for _, kind, request in bus.sent[sent:]]
    assert kinds[0] == ("resync", 1)
    assert kinds[1] == ("poll", 10)


def test_a_slave_gets_its_pause_and_others_use_it() -> None:
    slow = Transmitter("slow", 1, 0.1, transmitter(1).points, Limits(turnaround_s=0.04))
    many = [
        Transmitter("slow-2", 1, 0.2, transmitter(1).points, Limits(turnaround_s=0.04)),
        transmitter(2, 0.05, 2),
    ]
    bus = VirtualBus([slow, *many])
    bus.run(5.0)
    ends = [(moment + bus.cost.read_s(request.reply_bytes), request.unit) for moment, _, request in bus.sent]
    last_end = -1.0
    for (end, unit), (moment, _, _) in zip(ends, bus.sent, strict=True):
        if unit == 1:
            assert moment >= last_end + 0.04 - 1e-9
            last_end = end


def test_an_overloaded_bus_counts_what_it_missed_and_makes_no_bursts() -> None:
    bus = VirtualBus([transmitter(unit, 0.05, 60) for unit in (1, 2, 3)], baud=9600)
    bus.run(20.0)
    assert bus.arbiter.missed() > 0
    for unit in (1, 2, 3):
        had = len([cycle for _, cycle in bus.cycles if cycle.poll.unit == unit])
        periods = 20.0 / 0.05
        assert abs(had + bus.arbiter.missed(unit) - periods) <= 10  # what is underway spans that many
        assert had > 15  # the bus is shared, nobody starves


def test_nothing_is_polled_while_the_bus_is_gone() -> None:
    bus = VirtualBus([transmitter(1)])
    bus.run(3.0)
    dropped: list[Reply] = []
    bus.arbiter.commands.append((Request(1, 6, 0, 1, (1,)), dropped.append))
    assert bus.arbiter.reset(10.0) == [dropped.append]
    bus.arbiter.skip(10.0)
    assert bus.arbiter.missed() >= 6
