import hmac
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from shared_schema.digest import Hmac, equal
from shared_schema.packing import MAX_INTEGER, Reader, cut_utf8, signed_varint, text8, varint

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@given(st.integers(0, MAX_INTEGER))
def test_varints_come_back(value: int) -> None:
    reader = Reader(varint(value))
    assert reader.varint() == value
    reader.end()


@given(st.integers(-MAX_INTEGER, MAX_INTEGER))
def test_signed_varints_come_back(value: int) -> None:
    assert Reader(signed_varint(value)).signed_varint() == value


@given(TEXTS.filter(lambda text: len(text.encode()) < 256))
def test_texts_come_back(text: str) -> None:
    assert Reader(text8(text)).text8() == text


@given(TEXTS, st.integers(0, 80))
def test_a_cut_text_is_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    cut = cut_utf8(text, limit)
    kept = cut.decode()
    assert text.startswith(kept)
    assert len(cut) <= limit
    assert kept == text or len(text[: len(kept) + 1].encode()) > limit


@given(st.binary(max_size=200), st.lists(st.binary(max_size=100), max_size=4))
def test_macs_are_those_of_the_standard_library(key: bytes, parts: list[bytes]) -> None:
    assert Hmac(key).of(*parts) == hmac.new(key, b"".join(parts), sha256).digest()


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_equal_is_equality(one: bytes, other: bytes) -> None:
    assert equal(one, other) == (one == other)
    assert equal(one, bytes(bytearray(one)))
