"""Runs in MicroPython, too: what runs per byte or per bit allocates nothing there."""

import sys

from firmware.drivers.a02yyuw import DistanceFrames
from firmware.drivers.modbus_frames import crc16
from firmware.drivers.onewire import crc8
from tests.firmware.fakes.heap import without_heap

BYTES = bytes(range(69))


def test_check_sums():
    for sum_of in (crc16, crc8):
        assert without_heap(lambda data: sum_of(data, 69), BYTES) == sum_of(BYTES, 69)  # noqa: B023


def test_frames():
    feed = DistanceFrames().feed
    found = -1
    for byte in b"\x00\xff\x07\xa1\xa7":
        found = without_heap(feed, byte)
    assert found == 1953


def test_the_lock_would_notice():
    try:
        without_heap(bytearray, 64)
    except MemoryError:
        return
    assert sys.implementation.name == "cpython"
