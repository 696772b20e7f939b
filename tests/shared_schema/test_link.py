"""Runs in MicroPython, too: plain functions and plain asserts."""

import gc

from shared_schema.digest import Hmac
from shared_schema.frames import (
    ACK,
    CHALLENGE,
    HELLO,
    MAX_FRAME,
    MAX_GREETING,
    MAX_PAYLOAD,
    PING,
    PONG,
    PROOF,
    READINGS,
    REFUSE,
    TO_HUB,
    TO_NODE,
    TYPES,
    WELCOME,
    frame,
)
from shared_schema.link import HUB_TABLE, NODE_TABLE, HubSession
from shared_schema.messages import Refusal, RefusalCode, decode_refusal, encode_ack, encode_refusal
from tests.shared_schema.link_ends import (
    HUB_NONCE,
    KEY,
    NODE_NONCE,
    fault,
    greet,
    hello,
    hub,
    node,
    open_pair,
    plain,
    refused,
    welcome,
)

OTHER_KEY = bytes(32)


def test_both_open_when_both_hold_the_key():
    one, other = node(), hub()
    greet(one, other)
    assert one.is_open
    assert other.is_open
    assert one.hub_key == "hub-1"
    assert other.hello.device_key == "tank-1"


def test_the_greeting_is_hello_challenge_proof():
    said = greet(node(), hub())
    assert [message[2] for message in said] == [HELLO, CHALLENGE, PROOF]


def test_messages_arrive_as_they_were_sealed():
    one, other = open_pair()
    stream = one.seal(READINGS, b"rows") + one.seal(PING)
    assert plain(other.receive(stream)) == [(READINGS, b"rows"), (PING, b"")]
    assert plain(one.receive(other.seal(ACK, b"\x05"))) == [(ACK, b"\x05")]


def test_a_node_may_send_with_its_proof():
    one, other = node(), hub()
    other.receive(one.greeting())
    one.receive(other.to_send())
    assert plain(other.receive(one.to_send() + one.seal(READINGS, b"rows"))) == [(READINGS, b"rows")]


def test_a_hub_may_answer_in_one_piece():
    one, other = node(), hub()
    other.receive(one.greeting())
    challenge = other.to_send()
    twin = node()
    twin.greeting()
    twin.receive(challenge)
    other.receive(twin.to_send())
    assert [type_id for type_id, _ in one.receive(challenge + welcome(other))] == [WELCOME]


def test_a_hub_without_the_key_is_not_believed():
    one, other = node(), hub(key=OTHER_KEY)
    other.receive(one.greeting())
    assert fault(one.receive, other.to_send()) == "the hub does not hold this node's key"
    assert one.is_closed
    assert one.to_send() == b""


def test_a_node_without_the_key_is_not_believed():
    other = hub()
    other.receive(frame(HELLO, hello()))
    challenge = other.to_send()[3:]
    forged = Hmac(OTHER_KEY).of(b"node", hello(), challenge)
    assert fault(other.receive, frame(PROOF, forged)) == "the node does not hold its key"
    assert other.is_closed
    assert not other.is_open


def test_no_proof_is_as_bad_as_a_wrong_one():
    for proof in (b"", bytes(31), bytes(32), bytes(33)):
        other = hub()
        other.receive(frame(HELLO, hello()))
        assert fault(other.receive, frame(PROOF, proof)) == "the node does not hold its key"


def test_a_recorded_greeting_does_not_open_another_session():
    recorded = greet(node(), hub())
    other = hub(nonce=b"another nonce 02")
    other.receive(recorded[0])
    other.to_send()
    assert fault(other.receive, recorded[2]) == "the node does not hold its key"


def test_a_recorded_challenge_does_not_fool_a_node():
    recorded = greet(node(), hub())
    one = node(nonce=b"another nonce 02")
    one.greeting()
    assert fault(one.receive, recorded[1]) == "the hub does not hold this node's key"


def test_every_bit_of_the_greeting_is_covered():
    said = greet(node(), hub())
    for position in range(8 * 3, 8 * len(said[0])):  # behind length and type
        changed = flipped(said[0], position)
        one, other = node(), hub()
        one.greeting()
        try:
            other.receive(changed)
        except ValueError:
            continue
        answer = other.to_send()
        if answer[2] == CHALLENGE:
            assert fault(one.receive, answer) == "the hub does not hold this node's key"


def test_every_bit_of_the_challenge_is_covered():
    said = greet(node(), hub())
    for position in range(8 * 3, 8 * len(said[1])):
        one = node()
        one.greeting()
        assert fault(one.receive, flipped(said[1], position))


def flipped(data, position):
    changed = bytearray(data)
    changed[position // 8] ^= 1 << position % 8
    return bytes(changed)


def test_a_challenge_cannot_be_mirrored():
    one = node()
    one.greeting()
    mirrored = Hmac(KEY).of(b"node", hello(), NODE_NONCE)
    assert fault(one.receive, frame(CHALLENGE, NODE_NONCE + b"\x05hub-1" + mirrored))


def test_a_frame_sent_back_to_its_sender_is_a_fault():
    one, other = open_pair()
    other.receive(one.seal(PING))
    assert fault(one.receive, one.seal(PING)) == "wrong seal"


def test_a_replayed_frame_is_a_fault():
    one, other = open_pair()
    sealed = one.seal(READINGS, b"rows")
    other.receive(sealed)
    assert fault(other.receive, sealed) == "wrong seal"


def test_a_dropped_frame_is_a_fault():
    one, other = open_pair()
    one.seal(READINGS, b"dropped")
    assert fault(other.receive, one.seal(READINGS, b"rows")) == "wrong seal"


def test_swapped_frames_are_a_fault():
    one, other = open_pair()
    first, second = one.seal(READINGS, b"one"), one.seal(READINGS, b"two")
    assert fault(other.receive, second + first) == "wrong seal"


def test_a_frame_of_another_session_is_a_fault():
    one, _ = open_pair()
    _, other = open_pair_with(b"another nonce 02")
    assert fault(other.receive, one.seal(READINGS, b"rows")) == "wrong seal"


def open_pair_with(nonce):
    one, other = node(), hub(nonce=nonce)
    greet(one, other)
    return one, other


def test_every_flipped_bit_is_a_fault_or_waits_for_more():
    one, _ = open_pair()
    sealed = one.seal(READINGS, b"rows")
    for position in range(8 * len(sealed)):
        _, other = open_pair()
        try:
            got = other.receive(flipped(sealed, position))
        except ValueError:
            assert other.is_closed
            continue
        assert got == []  # the length said more; what follows is taken into it, and then the seal is wrong
        assert position < 16
        assert fault(other.receive, bytes(MAX_FRAME))


def test_a_truncated_frame_swallows_the_next_and_is_a_fault():
    one, other = open_pair()
    first, second = one.seal(READINGS, b"rows"), one.seal(READINGS, b"more")
    assert fault(other.receive, first[:-1] + second) == "wrong seal"


def test_a_frame_too_short_for_a_seal_is_a_fault():
    for size in range(8):
        _, other = open_pair()
        assert fault(other.receive, frame(READINGS, bytes(size))) == "no seal"


def test_an_oversized_frame_is_a_fault_at_its_length():
    _, other = open_pair()
    assert fault(other.receive, bytes([(MAX_FRAME + 1) >> 8, (MAX_FRAME + 1) & 0xFF])) == "length 4097"


def test_before_the_proof_frames_are_short():
    for session in (hub(), node()):
        if session.__class__ is not HubSession:
            session.greeting()
        assert fault(session.receive, bytes([(MAX_GREETING + 1) >> 8, (MAX_GREETING + 1) & 0xFF]))


def test_the_longest_payload_passes():
    one, other = open_pair()
    payload = bytes(MAX_PAYLOAD)
    assert plain(other.receive(one.seal(READINGS, payload))) == [(READINGS, payload)]
    assert refused(one.seal, READINGS, payload + b"x")


def test_a_fault_is_final():
    one, other = open_pair()
    fault(other.receive, bytes(3))
    assert other.is_closed
    assert not other.is_open
    assert fault(other.receive, one.seal(PING)) == "closed"
    assert refused(other.seal, PING)


def test_what_the_tables_do_not_name_is_a_fault():
    for type_id in range(256):
        if type_id not in NODE_TABLE["greeted"]:
            one = node()
            one.greeting()
            assert fault(one.receive, frame(type_id, bytes(40)))
        if type_id not in HUB_TABLE["start"]:
            assert fault(hub().receive, frame(type_id, bytes(40)))
        if type_id not in HUB_TABLE["greeted"]:
            other = hub()
            other.receive(frame(HELLO, hello()))
            assert fault(other.receive, frame(type_id, bytes(40)))


def test_a_node_hears_nothing_before_it_spoke():
    assert fault(node().receive, frame(REFUSE, b"\x04"))


def test_each_end_sends_and_takes_only_its_own_types():
    for type_id, _, directions in TYPES:
        if type_id in (HELLO, CHALLENGE, PROOF):
            assert type_id not in NODE_TABLE["open"]
            assert type_id not in HUB_TABLE["open"]
            continue
        assert (type_id in NODE_TABLE["open"]) == bool(directions & TO_NODE)
        assert (type_id in HUB_TABLE["open"]) == bool(directions & TO_HUB)
        one, other = open_pair()
        assert refused(one.seal, type_id) == (not directions & TO_HUB)
        assert refused(other.seal, type_id) == (not directions & TO_NODE)


def test_nothing_is_sealed_before_the_session_is_open():
    one, other = node(), hub()
    assert refused(one.seal, PING)
    assert refused(other.seal, PING)
    other.receive(one.greeting())
    assert refused(other.seal, PING)
    one.receive(other.to_send())
    assert refused(one.seal, PING)  # the proof has to go first
    one.to_send()
    assert not refused(one.seal, PING)


def test_a_hub_refuses_whom_it_does_not_know():
    other = HubSession("hub-1", HUB_NONCE, lambda _: Refusal(RefusalCode.PENDING, "approve it first"))
    one = node()
    assert other.receive(one.greeting()) == []
    assert other.is_closed
    assert other.refusal.code == RefusalCode.PENDING
    ((type_id, payload),) = one.receive(other.to_send())
    refusal = decode_refusal(payload)
    assert (type_id, refusal.code, refusal.text) == (REFUSE, RefusalCode.PENDING, "approve it first")
    assert one.is_closed


def test_what_follows_a_refusal_is_not_looked_at():
    for tail in (b"", b"\xff", frame(PROOF, bytes(32)), bytes(9000)):
        one, other = node(), HubSession("hub-1", HUB_NONCE, lambda _: Refusal(RefusalCode.BUSY))
        assert other.receive(one.greeting() + tail) == []
        assert [type_id for type_id, _ in one.receive(other.to_send() + tail)] == [REFUSE]
        for end in (one, other):
            assert end.is_closed
            assert end.receive(tail) == []


def test_a_hub_refuses_another_version_whatever_follows_it():
    for tail in (b"", b"something new", bytes(400)):
        other = hub()
        other.receive(frame(HELLO, b"\x02" + tail))
        assert decode_refusal(other.to_send()[3:]).code == RefusalCode.VERSION
        assert other.is_closed
        assert other.hello is None


def test_an_open_session_is_ended_with_a_sealed_refusal():
    one, other = open_pair()
    refusal = other.refuse(RefusalCode.REVOKED, "ask the operator")
    assert other.is_closed
    assert [type_id for type_id, _ in one.receive(refusal)] == [REFUSE]
    assert one.is_closed


def test_an_open_session_does_not_believe_an_unsealed_refusal():
    one, _ = open_pair()
    assert fault(one.receive, frame(REFUSE, encode_refusal(Refusal(RefusalCode.REVOKED)))) == "no seal"


def test_a_key_that_cannot_be_had_leaves_the_session_closed():
    def key_of(_):
        raise OSError("the disk is gone")

    other = HubSession("hub-1", HUB_NONCE, key_of)
    try:
        other.receive(frame(HELLO, hello()))
    except OSError:
        assert other.is_closed
        assert fault(other.receive, frame(PROOF, b"")) == "closed"
        return
    raise AssertionError("not raised")


def test_a_frame_that_drips_in_holds_no_more_than_a_frame():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython is asked in laws/test_link.py
    _, other = open_pair()
    gc.collect()
    before = gc.mem_alloc()
    other.receive(bytes([MAX_FRAME >> 8, MAX_FRAME & 0xFF]))
    for _ in range(MAX_FRAME - 1):
        other.receive(b"x")
    gc.collect()
    assert gc.mem_alloc() - before < MAX_FRAME + 512


def test_ping_and_pong_go_both_ways():
    one, other = open_pair()
    for sender, receiver in ((one, other), (other, one)):
        assert plain(receiver.receive(sender.seal(PING) + sender.seal(PONG))) == [(PING, b""), (PONG, b"")]


def test_many_frames_keep_their_count():
    one, other = open_pair()
    for number in range(300):
        assert plain(one.receive(other.seal(ACK, encode_ack(number)))) == [(ACK, encode_ack(number))]
