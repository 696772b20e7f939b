"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema import frames
from shared_schema import messages as m
from shared_schema.frames import TYPES
from tests.shared_schema.link_ends import fault, hello, refused
from tests.shared_schema.link_samples import MESSAGES, message_of, packed

# those that are a type's own name elsewhere, and those without a message of their own
IN_TYPES = {"refusal": "REFUSE"}
WITHOUT = {"PROOF", "READINGS", "PING", "PONG"}


def told(message):
    return message.__dict__ if hasattr(message, "__dict__") else message


def test_there_is_a_sample_of_every_message():
    names = {IN_TYPES.get(name, name.upper()) for name, _, _ in MESSAGES}
    assert names | WITHOUT == {name for _, name, _ in TYPES}


def test_messages_arrive_as_they_were_sent():
    for name, form, arguments in MESSAGES:
        got = getattr(m, "decode_" + name)(memoryview(packed(name, form, arguments)))
        assert told(got) == told(message_of(name, form, arguments)), name


def test_a_truncated_message_is_a_fault_or_a_shorter_text():
    for name, form, arguments in MESSAGES:
        payload, decode = packed(name, form, arguments), getattr(m, "decode_" + name)
        for size in range(len(payload)):
            try:
                shorter = decode(payload[:size])
            except m.LinkError:
                continue
            assert told(shorter) != told(message_of(name, form, arguments)), name


def test_a_message_that_is_too_long_is_a_fault():
    for name, form, arguments in MESSAGES:
        payload = packed(name, form, arguments)
        assert fault(getattr(m, "decode_" + name), payload + bytes(2000)), name


def test_every_message_fits_a_frame_at_its_longest():
    longest = (
        m.encode_update(m.Update(bytes(m.MANIFEST_LENGTH), bytes(32))),
        m.encode_config(m.Config(2**32 - 1, "x" * m.CONFIG_LENGTH)),
        m.encode_command(m.Command(2**53 - 1, "n" * 63, "x" * m.ARGUMENTS_LENGTH, m.EXPIRES_MOST_S)),
        m.encode_chunk(m.Chunk(65_535, 2**32 - 1, bytes(m.CHUNK_LENGTH))),
    )
    for payload in longest:
        assert len(payload) <= frames.MAX_PAYLOAD


def test_the_greeting_fits_at_its_longest():
    longest = m.Hello(bytes(16), "k" * 63, 2**32 - 1, 2**32 - 1, 1, 2, "v" * 32, "b" * 32, 2**32 - 1, 255)
    assert 1 + len(m.encode_hello(longest)) <= frames.MAX_GREETING
    assert 1 + len(m.encode_challenge(m.Challenge(bytes(16), "h" * 63, bytes(32)))) <= frames.MAX_GREETING
    assert 1 + len(m.encode_refusal(m.Refusal(1, "x" * 500))) <= frames.MAX_GREETING


def test_documents_that_are_too_long_are_not_sent():
    assert refused(m.encode_config, m.Config(1, "x" * (m.CONFIG_LENGTH + 1)))
    assert refused(m.encode_command, m.Command(1, "stop", "x" * (m.ARGUMENTS_LENGTH + 1), 60))
    assert refused(m.encode_command, m.Command(1, "n" * 64, "{}", 60))
    assert refused(m.encode_update, m.Update(bytes(m.MANIFEST_LENGTH + 1), bytes(32)))
    assert refused(m.encode_chunk, m.Chunk(1, 0, bytes(m.CHUNK_LENGTH + 1)))
    assert refused(hello, b"a short nonce")
    assert refused(hello, bytes(16), "k" * 64)


def test_texts_for_people_are_cut():
    refusal = m.decode_refusal(m.encode_refusal(m.Refusal(1, "ö" * 300)))
    assert refusal.text == "ö" * (m.REFUSAL_LENGTH // 2)
    result = m.decode_result(m.encode_result(m.Result(1, 2, "x" * 999)))
    assert len(result.text) == m.RESULT_LENGTH


def test_closed_sets_are_closed():
    assert fault(m.decode_config_state, b"\x01\x02") == "number out of range"
    assert fault(m.decode_result, b"\x01\x05") == "number out of range"
    assert fault(m.decode_event, b"\x04\x00") == "number out of range"
    assert fault(m.decode_update_state, b"\x06\x00") == "number out of range"
    assert fault(m.decode_loss, b"\x07\x01\x01\x00\x00") == "number out of range"


def test_a_code_of_a_later_version_is_still_a_refusal():
    assert m.decode_refusal(b"\xc8later").code == 200


def test_a_loss_has_a_beginning_and_an_end():
    for numbers in ((0, 5, 1, 2), (6, 5, 1, 2), (5, 6, 3, 2)):
        assert fault(m.decode_loss, m.encode_loss(m.Loss(0, *numbers))) == "a loss that ends before it begins"


def test_nothing_is_put_off_for_ever():
    late = m.encode_command(m.Command(1, "stop", "{}", m.EXPIRES_MOST_S + 1))
    assert fault(m.decode_command, late) == "number out of range"
    late = m.encode_welcome(m.Welcome(0, 0, 0, m.KEEPALIVE_MOST_S + 1))
    assert fault(m.decode_welcome, late) == "number out of range"


def test_a_chunk_of_nothing_is_not_wanted():
    assert (
        fault(m.decode_chunk_wanted, m.encode_chunk_wanted(m.ChunkWanted(1, 0, 0))) == "a chunk of no bytes"
    )
    assert fault(m.decode_chunk_wanted, m.encode_chunk_wanted(m.ChunkWanted(1, 0, 1025)))


def test_names_stand_in_the_order_of_their_values():
    for closed_set, first in (
        (m.RefusalCode, 1),
        (m.ConfigState, 0),
        (m.ResultState, 0),
        (m.EventLevel, 0),
        (m.UpdateState, 0),
    ):
        values = [getattr(closed_set, name.upper()) for name in closed_set.NAMES]
        assert values == list(range(first, first + len(values)))
