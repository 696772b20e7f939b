import hmac
import tracemalloc
from binascii import unhexlify
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema.frames import MAX_FRAME, TO_HUB, TYPES, FrameReader, frame
from shared_schema.link import HUB_TABLE, HubSession, LinkError
from tests.shared_schema.link_ends import KEY, greet, hub, node, open_pair
from tests.shared_schema.link_samples import VECTORS

Message = tuple[int, bytes]

SEALED = sorted(HUB_TABLE["open"])
MESSAGES = st.lists(st.tuples(st.sampled_from(SEALED), st.binary(max_size=60)), max_size=6)
CUTS = st.lists(st.integers(0, 1000), max_size=12)


def pieces(stream: bytes, cuts: list[int]) -> Iterator[bytes]:
    ends = sorted({0, len(stream), *[cut % (len(stream) + 1) for cut in cuts]})
    for start, end in pairwise(ends):
        yield stream[start:end]


def heard(other: HubSession, parts: Iterator[bytes]) -> tuple[list[Message], str, bytes]:
    """Return what came out, the fault it ended in, and what the session had to send."""
    messages, sent = [], b""
    for part in parts:
        try:
            messages += [(type_id, bytes(payload)) for type_id, payload in other.receive(part)]
        except LinkError as error:
            return messages, str(error), sent + other.to_send()
        sent += other.to_send()
    return messages, "", sent


def stream_of(messages: list[Message]) -> bytes:
    """Return everything a node sends to a hub in a whole session."""
    one, other = node(), hub()
    said = greet(one, other)
    return said[0] + said[2] + b"".join(one.seal(*message) for message in messages)


@given(MESSAGES, CUTS)
def test_any_pieces_give_the_same_messages(messages: list[Message], cuts: list[int]) -> None:
    stream = stream_of(messages)
    in_pieces = heard(hub(), pieces(stream, cuts))
    assert in_pieces == heard(hub(), iter([stream]))
    assert in_pieces[:2] == (messages, "")


@given(MESSAGES, CUTS, st.integers(0), st.integers(1, 255))
def test_any_pieces_give_the_same_fault(
    messages: list[Message], cuts: list[int], position: int, flip: int
) -> None:
    stream = bytearray(stream_of(messages))
    stream[position % len(stream)] ^= flip
    whole = heard(hub(), iter([bytes(stream)]))
    in_pieces = heard(hub(), pieces(bytes(stream), cuts))
    assert in_pieces[1:] == whole[1:]
    assert in_pieces[0] == messages[: len(in_pieces[0])]  # nothing of what was changed, and nothing behind it


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=5), CUTS)
def test_frames_come_out_as_they_went_in(frames: list[Message], cuts: list[int]) -> None:
    reader, got = FrameReader(MAX_FRAME), []
    for piece in pieces(b"".join(frame(*one) for one in frames), cuts):
        reader.feed(piece)
        while (found := reader.next()) is not None:
            got.append((found[0], bytes(found[1])))
    assert got == frames


@given(st.lists(st.integers(0, 5), max_size=6).filter(lambda order: order != list(range(len(order)))))
def test_only_the_order_of_sending_is_taken(order: list[int]) -> None:
    one, other = open_pair()
    sealed = [one.seal(SEALED[0], bytes([number])) for number in range(6)]
    with pytest.raises(LinkError, match="wrong seal"):
        other.receive(b"".join(sealed[number] for number in order))


@given(st.binary(max_size=700), st.booleans())
def test_random_bytes_raise_only_a_link_error(data: bytes, is_open: bool) -> None:
    ends = open_pair() if is_open else (node(), hub())
    if not is_open:
        ends[0].greeting()
    for end in ends:
        try:
            end.receive(data)
        except LinkError:
            assert end.is_closed


def test_the_committed_seals_are_those_of_the_standard_library() -> None:
    lines = [line.split() for line in Path(VECTORS).read_text().splitlines()]
    found = {name: unhexlify(data) for name, data in lines}
    hello, challenge, proof = (found[f"session_{name}"][3:] for name in ("hello", "challenge", "proof"))

    def mac(key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, sha256).digest()

    assert challenge[-32:] == mac(KEY, b"hub" + hello + challenge[:-32])
    assert proof == mac(KEY, b"node" + hello + challenge)
    nonces = hello[1:17] + challenge[:16]
    for label, names in ((b"n2h", ("readings", "ping")), (b"h2n", ("welcome", "ack", "pong", "refuse"))):
        for count, name in enumerate(names):
            framed = found[f"session_{name}"]
            text = count.to_bytes(8, "big") + framed[2:-8]
            assert framed[-8:] == mac(mac(KEY, label + nonces), text)[:8]


def test_a_peer_that_sends_a_length_and_then_drips_holds_no_more_than_a_frame() -> None:
    _, other = open_pair()
    length = frame(SEALED[0], bytes(MAX_FRAME - 1))[:2]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        other.receive(length)
        after_length, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(MAX_FRAME - 1):
            other.receive(b"x")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after_length - before < 512  # a promise of bytes reserves nothing
    assert most - before < 2 * MAX_FRAME  # the frame, and once more while it grows


def test_the_hub_takes_what_the_types_say() -> None:
    assert {name for number, name, way in TYPES if way & TO_HUB} == {
        name for number, name, _ in TYPES if any(number in table for table in HUB_TABLE.values())
    }
