"""Who speaks when, and what goes wrong, in given time."""

import struct

import pytest

from tools.sim.frames import is_sound, sealed
from tools.sim.line import Line
from tools.sim.slave import SimulatedSlave
from tools.sim.water import Site
from tools.sim.wire import Wire

LINE = Line(19_200, "even", 1)
SITE = Site()
PORT = 1


def read(address, start=0, count=2):
    return sealed(struct.pack(">BBHH", address, 3, start, count))


def wire_of(*slaves, is_paced=True, is_strict=False, seed=0):
    return Wire(slaves, LINE, is_paced=is_paced, is_strict=is_strict, seed=seed)


def plain(address=3, **options):
    return SimulatedSlave(f"slave-{address}", address, holding={0: 7, 1: address}, **options)


def replies(wire, until_s=1e9):
    return wire.due(until_s)


def test_a_reply_is_whole_after_request_silence_turnaround_and_its_own_time():
    wire = wire_of(plain(turnaround_s=0.004))
    wire.take(read(3), PORT, 10.0, SITE)
    [reply] = replies(wire)
    assert reply.frame == sealed(bytes((3, 3, 4, 0, 7, 0, 3)))
    assert reply.end_s - 10.0 == pytest.approx(LINE.frame_s(8 + 9) + LINE.gap_s + 0.004)


def test_nothing_is_readable_before_the_reply_is_whole():
    wire = wire_of(plain())
    wire.take(read(3), PORT, 10.0, SITE)
    end_s = wire.next_s()
    assert replies(wire, end_s - 1e-6) == []
    assert len(replies(wire, end_s)) == 1


def test_requests_one_after_the_other_take_the_least_time_the_line_allows():
    wire, now_s = wire_of(plain()), 0.0
    for _ in range(100):
        wire.take(read(3, count=20), PORT, now_s, SITE)
        now_s = wire.next_s()
        wire.due(now_s)
    expected_s = 100 * LINE.transaction_s(8, 45)
    assert now_s + LINE.gap_s == pytest.approx(expected_s)
    assert wire.counters.busy_s == pytest.approx(expected_s)


def test_a_request_that_keeps_the_silence_is_not_early():
    wire = wire_of(plain())
    wire.take(read(3), PORT, 0.0, SITE)
    end_s = wire.next_s()
    wire.due(end_s)
    wire.take(read(3), PORT, end_s + LINE.gap_s, SITE)
    assert wire.counters.too_soon == 0


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_request_within_the_silence_is_counted_and_lost_on_a_strict_line(is_strict):
    wire = wire_of(plain(), is_strict=is_strict)
    wire.take(read(3), PORT, 0.0, SITE)
    end_s = wire.next_s()
    wire.due(end_s)
    wire.take(read(3), PORT, end_s + LINE.gap_s / 2, SITE)
    assert wire.counters.too_soon == 1
    assert len(replies(wire)) == (0 if is_strict else 1)


def test_a_slave_that_needs_a_rest_does_not_hear_a_request_before_it_is_over():
    wire = wire_of(plain(3, rest_s=0.02), plain(4), is_strict=True)
    wire.take(read(3), PORT, 0.0, SITE)
    end_s = wire.next_s()
    wire.due(end_s)
    wire.take(read(4), PORT, end_s + LINE.gap_s, SITE)
    assert [reply.address for reply in replies(wire)] == [4]
    wire.take(read(3), PORT, end_s + 0.019, SITE)
    assert wire.counters.too_soon == 1
    assert replies(wire) == []


def test_without_pace_everything_is_due_at_once():
    wire = wire_of(plain(turnaround_s=0.5), is_paced=False)
    wire.take(read(3), PORT, 5.0, SITE)
    assert wire.next_s() == 5.0


def test_a_dead_slave_keeps_silent_until_it_lives_again():
    one = plain()
    wire = wire_of(one)
    one.faults.set("dead", 1)
    wire.take(read(3), PORT, 0.0, SITE)
    assert replies(wire) == []
    one.faults.set("dead", 0)
    wire.take(read(3), PORT, 1.0, SITE)
    assert len(replies(wire)) == 1
    assert (wire.counters.unanswered, wire.counters.slave(3).requests, wire.counters.slave(3).replies) == (
        1,
        2,
        1,
    )


def test_a_slow_slave_answers_later_by_what_was_asked():
    one = plain()
    wire = wire_of(one)
    wire.take(read(3), PORT, 0.0, SITE)
    usual_s = replies(wire)[0].end_s
    one.faults.set("slow_ms", 250)
    wire.take(read(3), PORT, 1.0, SITE)
    assert replies(wire)[0].end_s - 1.0 == pytest.approx(usual_s + 0.25)


def test_a_late_reply_does_not_hold_up_another_slave():
    slow, quick = plain(3), plain(4)
    wire = wire_of(slow, quick)
    slow.faults.set("slow_ms", 500)
    wire.take(read(3), PORT, 0.0, SITE)
    wire.take(read(4), PORT, 0.2, SITE)
    first, second = sorted(replies(wire), key=lambda reply: reply.end_s)
    assert (first.address, second.address) == (4, 3)
    assert first.end_s < 0.25
    assert is_sound(first.frame)
    assert is_sound(second.frame)


def test_a_late_reply_that_meets_a_request_spoils_both():
    slow, quick = plain(3), plain(4)
    wire = wire_of(slow, quick)
    slow.faults.set("slow_ms", 100)
    wire.take(read(3), PORT, 0.0, SITE)
    wire.take(read(4), PORT, wire.next_s() - 0.001, SITE)
    [reply] = replies(wire)
    assert reply.address == 3
    assert not is_sound(reply.frame)
    assert wire.counters.collisions == 1


def test_two_late_replies_at_the_same_time_spoil_each_other():
    slow, quick = plain(3), plain(4)
    wire = wire_of(slow, quick)
    slow.faults.set("slow_ms", 100)
    wire.take(read(3), PORT, 0.0, SITE)
    quick.faults.set("slow_ms", 50)
    wire.take(read(4), PORT, 0.05, SITE)
    assert [is_sound(reply.frame) for reply in replies(wire)] == [False, False]
    assert wire.counters.collisions >= 1


def test_noise_spoils_as_many_replies_as_it_was_told_and_the_same_ones_for_the_same_seed():
    def sound(seed):
        one = plain()
        one.faults.set("noise", 0.25)
        wire = wire_of(one, seed=seed)
        for second in range(400):
            wire.take(read(3), PORT, float(second), SITE)
        return [is_sound(reply.frame) for reply in replies(wire)]

    assert sound(1) == sound(1) != sound(2)
    assert 60 < sound(1).count(False) < 140


def test_a_truncated_reply_keeps_its_beginning():
    one = plain()
    one.faults.set("truncate", 4)
    wire = wire_of(one)
    wire.take(read(3), PORT, 0.0, SITE)
    assert replies(wire)[0].frame == sealed(bytes((3, 3, 4, 0, 7, 0, 3)))[:4]


def test_two_slaves_with_one_address_garble_each_other():
    wire = wire_of(plain(3), plain(3, turnaround_s=0.001))
    wire.take(read(3), PORT, 0.0, SITE)
    assert [is_sound(reply.frame) for reply in replies(wire)] == [False, False]
    assert wire.counters.collisions >= 2


def test_a_collision_can_be_had_without_a_second_slave():
    one = plain()
    one.faults.set("collide", 1)
    wire = wire_of(one)
    wire.take(read(3), PORT, 0.0, SITE)
    assert not is_sound(replies(wire)[0].frame)


def test_a_broadcast_reaches_all_and_nobody_answers():
    slaves = [plain(3), plain(4)]
    wire = wire_of(*slaves)
    wire.take(sealed(struct.pack(">BBHH", 0, 6, 0, 99)), PORT, 0.0, SITE)
    assert replies(wire) == []
    assert [one.registers.written["holding"][0] for one in slaves] == [99, 99]


def test_nobody_answers_for_an_address_that_is_not_there():
    wire = wire_of(plain(3))
    wire.take(read(9), PORT, 0.0, SITE)
    assert replies(wire) == []
    assert wire.counters.unanswered == 1


def test_counts_the_longest_time_between_two_requests_to_a_slave():
    wire = wire_of(plain(3), plain(4))
    for now_s in (0.0, 1.0, 3.5, 4.0):
        wire.take(read(3), PORT, now_s, SITE)
    assert wire.counters.slave(3).spacing_max_s == pytest.approx(2.5)
    assert wire.counters.slave(4).spacing_max_s == 0.0
