"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema.frames import (
    MAC_BYTES,
    MAX_FRAME,
    MAX_GREETING,
    MAX_PAYLOAD,
    PING,
    TO_HUB,
    TO_NODE,
    TYPES,
    FrameReader,
    frame,
)
from tests.shared_schema.link_ends import fault, plain, refused


def frames_in(reader, data):
    reader.feed(data)
    found, frames = reader.next(), []
    while found is not None:
        frames.append(found)
        found = reader.next()
    return plain(frames)


def test_a_frame_counts_its_type_and_payload():
    assert frame(PING) == b"\x00\x01\x08"
    assert frame(PING, b"ab", b"c") == b"\x00\x04\x08abc"


def test_a_frame_beyond_the_limit_is_not_made():
    assert len(frame(PING, bytes(MAX_PAYLOAD), bytes(MAC_BYTES))) == 2 + MAX_FRAME
    assert refused(frame, PING, bytes(MAX_FRAME))


def test_types_are_numbered_without_holes():
    assert [number for number, _, _ in TYPES] == list(range(1, len(TYPES) + 1))
    assert len({name for _, name, _ in TYPES}) == len(TYPES)
    for _, name, directions in TYPES:
        assert directions in (TO_HUB, TO_NODE, TO_HUB | TO_NODE), name


def test_frames_come_out_as_they_went_in():
    sent = [(PING, b""), (1, b"x" * 300), (22, b"end")]
    stream = b"".join([frame(type_id, payload) for type_id, payload in sent])
    assert frames_in(FrameReader(MAX_FRAME), stream) == sent


def test_a_frame_may_come_byte_by_byte():
    reader, got = FrameReader(MAX_FRAME), []
    for byte in frame(1, b"slow") + frame(2):
        got += frames_in(reader, bytes([byte]))
    assert got == [(1, b"slow"), (2, b"")]


def test_a_frame_stays_as_it_is_when_the_buffer_it_came_in_is_used_again():
    reader, buffer = FrameReader(MAX_FRAME), bytearray(frame(1, b"first"))
    reader.feed(buffer)
    _, payload = reader.next()
    buffer[:] = frame(1, b"other")
    assert payload == b"first"


def test_a_wrong_length_is_a_fault_before_anything_of_it_arrives():
    for length in (0, MAX_GREETING + 1, 65_535):
        reader = FrameReader(MAX_GREETING)
        reader.feed(bytes([length >> 8, length & 0xFF]))
        assert fault(reader.next) == "length " + str(length)


def test_the_longest_frame_passes():
    longest = frame(1, bytes(MAX_GREETING - 1))
    assert len(frames_in(FrameReader(MAX_GREETING), longest)) == 1


def test_the_limit_may_rise_between_two_frames():
    reader = FrameReader(4)
    reader.feed(frame(1, b"abc") + frame(2, b"abcdefgh"))
    assert reader.next()[0] == 1
    reader.limit = MAX_FRAME
    assert plain([reader.next()]) == [(2, b"abcdefgh")]


def test_what_was_fed_is_taken_out_first():
    reader = FrameReader(MAX_FRAME)
    reader.feed(frame(1) + frame(2))
    reader.next()
    try:
        reader.feed(b"more")
    except RuntimeError:
        return
    raise AssertionError("fed over what was left")
