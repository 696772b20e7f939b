"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema.packing import (
    MAX_INTEGER,
    VARINT_BYTES,
    Reader,
    cut_utf8,
    put_varint,
    signed_varint,
    text8,
    unzigzag,
    varint,
    zigzag,
)
from tests.shared_schema.link_ends import fault, refused

# The Protocol Buffers documentation's own examples, and the ends of each length.
VARINTS = (
    (0, b"\x00"),
    (1, b"\x01"),
    (127, b"\x7f"),
    (128, b"\x80\x01"),
    (150, b"\x96\x01"),
    (16_384, b"\x80\x80\x01"),
    (2**32 - 1, b"\xff\xff\xff\xff\x0f"),
    (MAX_INTEGER, b"\xff\xff\xff\xff\xff\xff\xff\x0f"),
)


def test_varints_are_leb128():
    for value, packed in VARINTS:
        assert varint(value) == packed
        assert Reader(packed).varint() == value


def test_varints_are_written_in_place():
    buffer = bytearray(b"......")
    assert put_varint(buffer, 2, 150) == 4
    assert buffer == b"..\x96\x01.."


def test_zigzag_puts_small_amounts_first():
    assert [zigzag(value) for value in (0, -1, 1, -2, 2)] == [0, 1, 2, 3, 4]
    for value in (0, 1, -1, 2**31, -(2**31), MAX_INTEGER, -MAX_INTEGER):
        assert unzigzag(zigzag(value)) == value
        assert Reader(signed_varint(value)).signed_varint() == value


def test_what_does_not_fit_is_not_packed():
    for value in (-1, MAX_INTEGER + 1):
        assert refused(varint, value)
    for value in (-MAX_INTEGER - 1, MAX_INTEGER + 1):
        assert refused(signed_varint, value)
    assert refused(text8, "x" * 256)
    assert refused(text8, "ö" * 4, 7)


def test_texts_have_their_length_in_front():
    assert text8("") == b"\x00"
    assert text8("pH 7") == b"\x04pH 7"
    assert Reader(text8("größer")).text8() == "größer"


def test_cut_text_ends_with_a_whole_character():
    assert cut_utf8("größer", 80) == "größer".encode()
    assert cut_utf8("größer", 8) == "größer".encode()
    assert cut_utf8("größer", 3) == b"gr"
    assert cut_utf8("größer", 4) == "grö".encode()
    assert cut_utf8("€€", 5) == "€".encode()
    assert cut_utf8("€", 2) == b""


def test_numbers_are_big_endian():
    reader = Reader(b"\x01\x00\x02\x00\x00\x00\x03\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x05")
    assert [reader.u8(), reader.u16(), reader.u32(), reader.u48(), reader.u64()] == [1, 2, 3, 4, 5]
    reader.end()


def test_what_is_missing_is_a_fault():
    for method in ("u8", "u16", "u32", "u48", "u64", "varint", "signed_varint", "bytes8", "text8"):
        assert fault(getattr(Reader(b""), method)) == "truncated"
    assert fault(Reader(b"\x05four").bytes8) == "truncated"
    assert fault(Reader(b"\x80").varint) == "truncated"
    assert fault(Reader(b"abc").take, 4) == "truncated"


def test_what_is_too_large_is_a_fault():
    assert fault(Reader(b"\xff" * VARINT_BYTES + b"\x00").varint) == "varint too long"
    assert fault(Reader(varint(MAX_INTEGER)[:-1] + b"\x10").varint) == "number out of range"
    assert fault(Reader(b"\xff" * 8).u64) == "number out of range"
    assert fault(Reader(b"\x09").u8, 8) == "number out of range"
    assert fault(Reader(b"\x04four").text8, 3) == "number out of range"
    assert fault(Reader(b"four").rest, 3) == "number out of range"
    assert fault(Reader(signed_varint(-5)).signed_varint, 4) == "number out of range"
    assert fault(Reader(b"x").end) == "too long"


def test_what_is_not_text_is_a_fault():
    assert fault(Reader(b"\x01\xff").text8) == "not UTF-8"
    assert fault(Reader(b"\xc3").rest_text, 9) == "not UTF-8"
