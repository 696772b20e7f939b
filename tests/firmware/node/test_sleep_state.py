"""Runs in MicroPython, too."""

from firmware.node.battery import BatteryMode, Rules
from firmware.node.sleep_state import BYTES, EVENTS_BYTES, SleepState, decode
from shared_schema.reports import DETAIL_LENGTH, Event, EventLevel, decode_event


def kept():
    """Return a state with something in each place."""
    state = SleepState()
    state.offset_ms, state.row_at_ms = 1_764_000_000_123, 4_321_000
    state.next_number, state.turn = 4_294_967_295, 3
    mode = BatteryMode(Rules())
    mode.sampled(5_000_000, 4000)
    state.rhythm = mode.state()
    return state


def test_comes_back_as_it_was_kept():
    data = kept().encode()
    assert len(data) == BYTES
    state = decode(bytearray(data))
    assert (state.offset_ms, state.row_at_ms) == (1_764_000_000_123, 4_321_000)
    assert (state.next_number, state.turn) == (4_294_967_295, 3)
    mode = BatteryMode(Rules())
    assert mode.restore(state.rhythm)
    assert not mode.is_sample_due(5_100_000)


def test_events_nobody_heard_come_back_in_their_order_and_each_once():
    state = kept()
    state.keep([Event(EventLevel.WARNING, "sensor_failed", text) for text in ("uart1", "onewire4", "uart1")])
    found = [decode_event(said) for said in decode(state.encode()).events]
    assert [(event.level, event.code, event.text) for event in found] == [
        (EventLevel.WARNING, "sensor_failed", "onewire4"),
        (EventLevel.WARNING, "sensor_failed", "uart1"),
    ]
    assert decode(state.encode()).offset_ms == state.offset_ms


def test_of_more_events_than_fit_the_newest_are_kept():
    state = kept()
    state.keep([Event(EventLevel.ERROR, "e%d" % number, "x" * DETAIL_LENGTH) for number in range(8)])
    assert [decode_event(said).code for said in state.events] == ["e5", "e6", "e7"]
    assert len(state.encode()) <= BYTES + EVENTS_BYTES
    state.keep([])
    assert len(state.encode()) == BYTES


def test_what_is_fresh_makes_everything_due():
    assert not BatteryMode(Rules()).restore(decode(SleepState().encode()).rhythm)


def test_memory_that_holds_anything_else_is_not_believed():
    data = kept().encode()
    for other in (b"", bytes(BYTES), data[:-1], data + b"\x00"):
        assert decode(other) is None
    for place in range(BYTES):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        assert decode(damaged) is None, place
