"""Rows on their way, and the watchdog's food."""

from firmware.node.outgoing import ANSWER_MOST_MS, ROWS_IN_FLIGHT, Outgoing
from firmware.node.progress import GRACE_MS, Progress


def test_begins_behind_what_the_hub_has():
    outgoing = Outgoing(41, 0)
    assert (outgoing.next_seq, outgoing.room) == (42, ROWS_IN_FLIGHT)


def test_rows_take_room_until_they_are_acknowledged():
    outgoing = Outgoing(0, 0)
    outgoing.sent(1, 100, 0)
    outgoing.sent(101, 50, 0)
    assert (outgoing.next_seq, outgoing.room) == (151, ROWS_IN_FLIGHT - 150)
    assert outgoing.acknowledge(100, 10)
    assert outgoing.room == ROWS_IN_FLIGHT - 50
    assert not outgoing.acknowledge(100, 20)
    assert not outgoing.acknowledge(99, 20)
    assert outgoing.acknowledged_seq == 100


def test_a_hub_that_has_more_than_was_sent_is_believed():
    outgoing = Outgoing(0, 0)
    outgoing.acknowledge(500, 0)
    assert (outgoing.next_seq, outgoing.room) == (501, ROWS_IN_FLIGHT)


def test_rows_that_were_evicted_are_passed_over():
    outgoing = Outgoing(10, 0)
    outgoing.sent(100, 5, 0)
    assert outgoing.next_seq == 105


def test_is_stuck_only_while_rows_wait_for_an_answer():
    outgoing = Outgoing(0, 0)
    assert not outgoing.is_stuck(10 * ANSWER_MOST_MS)
    outgoing.sent(1, 5, 10 * ANSWER_MOST_MS)
    assert not outgoing.is_stuck(11 * ANSWER_MOST_MS)
    assert outgoing.is_stuck(11 * ANSWER_MOST_MS + 1)
    outgoing.acknowledge(3, 11 * ANSWER_MOST_MS + 1)
    assert not outgoing.is_stuck(11 * ANSWER_MOST_MS + 2)
    outgoing.acknowledge(5, 11 * ANSWER_MOST_MS + 3)
    assert not outgoing.is_stuck(99 * ANSWER_MOST_MS)


def test_the_watchdog_is_fed_as_long_as_samples_come_as_often_as_they_should():
    progress = Progress(0)
    progress.expect_every(900_000)
    assert not progress.is_stuck(900_000 + GRACE_MS)
    assert progress.is_stuck(900_001 + GRACE_MS)
    progress.made(900_000)
    assert not progress.is_stuck(1_800_000)
