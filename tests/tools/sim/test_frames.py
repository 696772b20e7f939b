"""Where requests end, and their checksums."""

from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from tools.sim.frames import Ear, crc16, is_sound, request_length, sealed

READ = sealed(bytes((3, 3, 0, 0, 0, 10)))
WRITE_MANY = sealed(bytes((3, 16, 0, 0, 0, 2, 4, 1, 2, 3, 4)))

readings = st.builds(
    lambda address, function, start, count: sealed(
        bytes((address, function)) + start.to_bytes(2, "big") + count.to_bytes(2, "big")
    ),
    st.integers(0, 247),
    st.integers(1, 6),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
)
writings = st.builds(
    lambda address, data: sealed(
        bytes((address, 16, 0, 0, 0, len(data), 2 * len(data))) + b"".join(v.to_bytes(2, "big") for v in data)
    ),
    st.integers(0, 247),
    st.lists(st.integers(0, 65_535), min_size=1, max_size=120),
)
requests = st.one_of(readings, writings)


def test_the_checksum_is_that_of_the_specification():
    # Serial Line V1.02, appendix B: the frame 02 07 ends with 41 12.
    assert sealed(b"\x02\x07") == b"\x02\x07\x41\x12"


@given(st.binary(max_size=254))
def test_the_checksum_is_what_pymodbus_computes(data):
    assert sealed(data)[-2:] == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(st.binary(min_size=2, max_size=100), st.integers(0, 799))
def test_one_wrong_bit_is_noticed(data, position):
    frame = sealed(data)
    wrong = bytearray(frame)
    wrong[position // 8 % len(frame)] ^= 1 << position % 8
    assert is_sound(frame)
    assert not is_sound(bytes(wrong))


@given(st.lists(requests, max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_any_chunking_gives_the_same_requests(frames, sizes):
    ear, heard, stream, index = Ear(), [], b"".join(frames), 0
    while stream:
        size = sizes[index % len(sizes)]
        heard += ear.hear(stream[:size])
        stream, index = stream[size:], index + 1
    assert heard == frames
    assert not ear.is_listening
    assert ear.malformed == 0


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_any_bytes_end_with_silence(chunks):
    ear = Ear()
    for chunk in chunks:
        ear.hear(chunk)
    ear.silence()
    assert not ear.is_listening
    assert ear.hear(READ) == [READ]


def test_a_frame_with_a_wrong_checksum_is_counted_at_the_silence():
    ear = Ear()
    assert ear.hear(READ[:-1] + b"\x00") == []
    assert ear.silence() == []
    assert ear.malformed == 1


def test_an_unknown_function_ends_with_silence():
    frame = sealed(bytes((3, 17)))
    ear = Ear()
    assert ear.hear(frame) == []
    assert ear.silence() == [frame]


def test_the_length_of_a_write_is_told_by_its_byte_count():
    assert request_length(WRITE_MANY[:6]) is None
    assert request_length(WRITE_MANY[:7]) == len(WRITE_MANY)
    assert crc16(b"") == 0xFFFF
