"""Runs in MicroPython, too: plain functions and plain asserts."""

import gc

from shared_schema.batches import MAX_ROWS, decode, encode
from shared_schema.frames import MAX_PAYLOAD
from shared_schema.metrics import ENVIRONMENT, HEARTBEAT, TANK
from shared_schema.packing import EARLIEST_MS, LATEST_MS, MAX_INTEGER
from tests.shared_schema.link_ends import fault, refused
from tests.shared_schema.link_samples import BATCHES, START_MS, batch, tank_row

NOTHING = (None, None, None, None, None, None)


# where things are in a batch of a tank's levels, when it has two rows or more
ROWS, FLAGS, TIME_FORM, FIRST_TIME, METRICS, METRIC, FORM = 2, 3, 4, 5, 14, 15, 16


def levels(*values, at_ms=None):
    """Return rows of a tank with these levels, a minute apart."""
    return [
        ((at_ms or START_MS) + 60_000 * number, (value, None, None, None, None, None), 0, 0)
        for number, value in enumerate(values)
    ]


def form_of(*values):
    """Return the form byte of a column of levels."""
    return batch(TANK.id, 1, levels(*values))[14 if len(values) == 1 else FORM]


def test_batches_arrive_as_they_were_sent():
    for _, kind_id, first_seq, rows in BATCHES:
        columns = decode(memoryview(batch(kind_id, first_seq, rows)))
        assert (columns.kind_id, columns.first_seq) == (kind_id, first_seq)
        assert columns.rows() == rows


def test_a_column_takes_the_narrowest_form():
    top = 2**31 - 1
    assert form_of(5) == form_of(5, 5, 5) == 0
    assert form_of(0, 127) == form_of(0, -128) == 1
    assert form_of(0, 128) == form_of(0, -129) == form_of(0, 32_767) == form_of(0, -32_768) == 2
    assert form_of(0, 32_768) == form_of(0, -32_769) == form_of(0, top) == form_of(top, -1) == 3
    assert form_of(0, top + 1) == form_of(top + 1, -1) == 4
    assert form_of(5, None, 5) == 0x80


def test_every_form_comes_back():
    for step in (0, 1, 127, 128, 32_767, 32_768, 2**31 - 1, 2**31, 2**52):
        for values in ((0, step), (0, -step), (step, None, 0), (None, -step, None), (-step, step)):
            rows = levels(*values)
            assert decode(batch(TANK.id, 1, rows)).rows() == rows


def test_nulls_cost_a_bit():
    assert len(batch(TANK.id, 1, levels(5, None, 5))) == len(batch(TANK.id, 1, levels(5, 5, 5))) + 1


def test_what_no_row_has_is_not_sent():
    rows = [(START_MS, NOTHING, 0, 0)] * 3
    assert len(batch(TANK.id, 1, rows)) == 1 + 1 + 1 + 1 + 7 + 1 + 1


def test_a_steady_clock_costs_nothing():
    assert len(batch(TANK.id, 1, levels(*[5] * 60))) == len(batch(TANK.id, 1, levels(5, 5)))


def test_times_of_all_kinds_come_back():
    for later_ms in (0, 1, -1, 127, 128, 40_000, 2**31, 2**40, -(2**33)):
        rows = levels(1, 2, 3)
        rows[2] = (START_MS + later_ms, rows[2][1], 0, 0)
        assert decode(batch(TANK.id, 1, rows)).rows() == rows
    for at_ms in (EARLIEST_MS, LATEST_MS):
        rows = levels(1, at_ms=at_ms)
        assert decode(batch(TANK.id, 1, rows)).rows() == rows
    rows = levels(1, at_ms=EARLIEST_MS) + levels(1, at_ms=LATEST_MS) + levels(1, at_ms=EARLIEST_MS)
    assert decode(batch(TANK.id, 1, rows)).rows() == rows


def test_what_cannot_be_sent_is_refused():
    for rows in (
        [],
        levels(*range(MAX_ROWS + 1)),
        levels(MAX_INTEGER + 1),
        levels(0, -MAX_INTEGER - 1),
        levels(1, at_ms=EARLIEST_MS - 1),
        levels(1, at_ms=LATEST_MS + 1),
        [(START_MS, NOTHING, 3, 0)],
        [(START_MS, NOTHING, 0, 3)],  # pending: not yet stamped
    ):
        assert refused(encode, TANK.id, 1, rows, bytearray(MAX_PAYLOAD))
    for kind_id in (0, HEARTBEAT.id, 200):
        assert refused(encode, kind_id, 1, levels(1), bytearray(MAX_PAYLOAD))
    for first_seq in (0, -1, MAX_INTEGER):
        assert refused(encode, TANK.id, first_seq, levels(1), bytearray(MAX_PAYLOAD))


def test_a_buffer_that_is_too_small_is_refused_and_never_overrun():
    rows = [tank_row(number) for number in range(60)]
    size = len(batch(TANK.id, 101, rows))
    for room in range(size):
        assert refused(encode, TANK.id, 101, rows, bytearray(room))
    assert encode(TANK.id, 101, rows, bytearray(size + 40)) == size


def test_what_was_in_the_buffer_does_not_show():
    for _, kind_id, first_seq, rows in BATCHES:
        used = bytearray(b"\xff" * MAX_PAYLOAD)
        assert used[: encode(kind_id, first_seq, rows, used)] == batch(kind_id, first_seq, rows)


def test_a_full_batch_of_slow_values_fits_a_frame():
    values = tuple(range(len(ENVIRONMENT.fields)))
    rows = [
        (START_MS + 60_000 * number + number % 90, tuple([value + number % 100 for value in values]), 1, 1)
        for number in range(MAX_ROWS)
    ]
    assert len(batch(ENVIRONMENT.id, 1, rows)) < 1400


def changed(payload, position, value):
    copy = bytearray(payload)
    copy[position] = value
    return copy


def test_what_encode_does_not_write_is_a_fault():
    payload = batch(TANK.id, 1, levels(5, 6, 7))
    assert fault(decode, changed(payload, 0, HEARTBEAT.id)) == "unknown kind"
    assert fault(decode, changed(payload, 1, 0)) == "no rows"
    assert fault(decode, changed(payload, ROWS, 0)) == "no rows"
    assert fault(decode, changed(payload, ROWS, MAX_ROWS + 1)) == "number out of range"
    assert fault(decode, changed(payload, FLAGS, 4)) == "number out of range"
    assert fault(decode, changed(payload, TIME_FORM, 5)) == "number out of range"
    assert fault(decode, changed(payload, FIRST_TIME, 0)) == "time out of range"
    assert fault(decode, changed(payload, FIRST_TIME, 9)) == "time out of range"
    assert fault(decode, changed(payload, METRIC, 20)) == "unknown metric, or twice the same"
    assert fault(decode, changed(payload, FORM, 5)) == "unknown form"
    assert fault(decode, changed(payload, FORM, 0x41)) == "unknown form"
    assert fault(decode, payload + b"x") == "too long"


def test_a_metric_comes_once():
    payload = batch(TANK.id, 1, levels(5, 5))
    doubled = changed(payload, METRICS, 2) + payload[METRIC:]
    assert fault(decode, doubled) == "unknown metric, or twice the same"


def test_a_column_of_nothing_is_a_fault():
    payload = batch(TANK.id, 1, levels(5, None))
    assert fault(decode, changed(payload, FORM + 1, 3)) == "no values"


def test_unknown_qualities_are_a_fault():
    payload = batch(TANK.id, 1, [(START_MS, NOTHING, 1, 1)])
    assert payload[12] == 0x11
    for mark in (0x03, 0x30, 0x0F):
        assert fault(decode, changed(payload, 12, mark)) == "unknown quality"


def test_values_beyond_what_a_double_holds_are_a_fault():
    payload = batch(TANK.id, 1, levels(MAX_INTEGER - 1, MAX_INTEGER))
    assert fault(decode, changed(payload, -1, 2)) == "value out of range"
    payload = batch(TANK.id, 1, levels(-MAX_INTEGER, 0))
    assert fault(decode, changed(payload, -1, 0x7F)) == "value out of range"


def test_a_truncated_batch_is_a_fault():
    for _, kind_id, first_seq, rows in BATCHES:
        payload = batch(kind_id, first_seq, rows)
        for size in range(len(payload)):
            assert fault(decode, payload[:size])


def test_encoding_makes_next_to_no_objects():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not say
    rows = [tank_row(number) for number in range(60)]
    buffer = bytearray(MAX_PAYLOAD)
    encode(TANK.id, 101, rows, buffer)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    encode(TANK.id, 101, rows, buffer)
    made = gc.mem_alloc() - before
    gc.enable()
    assert made < 256, made
