"""Frames, and one conversation at a time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.line import GARBLED, REFUSED, TIMEOUT
from hub.modbus.pymodbus_io import Answer, Conversation, MbapFraming, RtuFraming
from hub.modbus.requests import Request, read, write
from tools.sim.frames import sealed

ASKED = Request(7, 3, 100, 2)
REPLY = sealed(bytes((7, 3, 4, 1, 2, 3, 4)))


def test_a_request_is_the_frame_of_the_specification() -> None:
    assert RtuFraming().wrap(Request(1, 3, 0, 2)) == sealed(bytes((1, 3, 0, 0, 0, 2)))
    assert RtuFraming().wrap(write(1, "coil", 172, (1,))) == sealed(bytes((1, 5, 0, 172, 0xFF, 0)))
    assert RtuFraming().wrap(write(1, "holding", 1, (3,))) == sealed(bytes((1, 6, 0, 1, 0, 3)))
    several = write(1, "holding", 1, (0x000A, 0x0102))
    assert RtuFraming().wrap(several) == sealed(bytes((1, 16, 0, 1, 0, 2, 4, 0, 10, 1, 2)))
    bits = write(1, "coil", 19, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0))
    assert RtuFraming().wrap(bits) == sealed(bytes((1, 15, 0, 19, 0, 10, 2, 0xCD, 1)))


@given(st.lists(st.integers(1, len(REPLY)), max_size=8))
def test_a_reply_in_pieces_is_the_reply(cuts: list[int]) -> None:
    framing = RtuFraming()
    found = [framing.find(REPLY[:cut], ASKED) for cut in sorted(cuts) if cut < len(REPLY)]
    assert found == [None] * len(found)
    assert framing.find(REPLY, ASKED) == Answer(bytes((1, 2, 3, 4)), 0)


@given(st.binary(max_size=40))
def test_noise_before_a_reply_costs_only_itself(noise: bytes) -> None:
    framing = RtuFraming()
    if framing.find(noise, ASKED) is None:
        assert framing.find(noise + REPLY, ASKED) is not None


@given(
    st.binary(max_size=300), st.sampled_from([ASKED, read(7, "coil", 0, 20), write(7, "holding", 5, (6,))])
)
def test_random_bytes_are_no_reply(noise: bytes, asked: Request) -> None:
    answer = RtuFraming().find(noise, asked)
    assert (
        answer is None or sealed(noise) != noise
    )  # a checksum may fit by chance, an exception must not come
    MbapFraming().find(noise, asked)


@pytest.mark.parametrize(
    "foreign",
    [
        sealed(bytes((8, 3, 4, 1, 2, 3, 4))),  # another slave's
        sealed(bytes((7, 4, 4, 1, 2, 3, 4))),  # of another function
        sealed(bytes((7, 3, 2, 1, 2))),  # of another length
        REPLY[:-1] + b"\0",  # damaged
    ],
)
def test_a_foreign_or_damaged_frame_is_never_taken(foreign: bytes) -> None:
    assert RtuFraming().find(foreign, ASKED) is None
    assert RtuFraming().find(foreign + REPLY, ASKED) == Answer(bytes((1, 2, 3, 4)), 0)


def test_a_refusal_carries_its_code() -> None:
    assert RtuFraming().find(sealed(bytes((7, 0x83, 2))), ASKED) == Answer(b"", 2)


def test_a_reply_with_a_former_transaction_number_is_passed_over() -> None:
    framing = MbapFraming()
    body = bytes((3, 4, 1, 2, 3, 4))
    old = framing.wrap(ASKED)[:2] + bytes((0, 0, 0, 7, 7)) + body
    new = framing.wrap(ASKED)[:2] + bytes((0, 0, 0, 7, 7)) + bytes((3, 4, 9, 9, 9, 9))
    assert framing.find(old, ASKED) is None
    assert framing.find(old + new, ASKED) == Answer(bytes((9, 9, 9, 9)), 0)
    assert framing.find(new[:-1], ASKED) is None


async def converse(
    framing: RtuFraming, *chunks: bytes, timeout_s: float = 0.05
) -> tuple[str, bytes, list[bytes]]:
    """Send one request, then hear chunks."""
    talk = Conversation(framing)
    sent = [talk.prepare(ASKED, timeout_s)]
    talk.begin(0.0)
    for chunk in chunks:
        talk.hear(chunk, 0.0)
        await asyncio.sleep(0)
    reply = await talk.reply()
    return reply.fault, reply.data, sent


async def test_a_conversation_ends_with_the_reply() -> None:
    fault, data, sent = await converse(RtuFraming(), REPLY[:3], REPLY[3:], timeout_s=5.0)
    assert (fault, data) == ("", bytes((1, 2, 3, 4)))
    assert sent == [RtuFraming().wrap(ASKED)]


async def test_silence_is_a_timeout_and_noise_is_damage() -> None:
    assert (await converse(RtuFraming()))[0] == TIMEOUT
    assert (await converse(RtuFraming(), REPLY[:-2] + b"xx"))[0] == GARBLED
    assert (await converse(RtuFraming(), REPLY[:4]))[0] == GARBLED
    assert (await converse(RtuFraming(), sealed(bytes((7, 0x83, 2)))))[0] == REFUSED


async def test_a_damaged_reply_does_not_hold_the_bus_for_the_whole_timeout() -> None:
    fault, _, _ = await asyncio.wait_for(converse(RtuFraming(), REPLY[:-2] + b"xx", timeout_s=3600.0), 20)
    assert fault == GARBLED
