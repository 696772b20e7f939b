"""Runs in MicroPython, too: plain functions and plain asserts."""

from binascii import unhexlify

from shared_schema import batches
from shared_schema import messages as m
from tests.shared_schema.link_ends import hub, node
from tests.shared_schema.link_samples import BATCHES, MESSAGES, VECTORS, message_of, text_of, vectors

REMEDY = "the protocol has changed; if that is meant: python -m tests.shared_schema.link_samples"


def written():
    with open(VECTORS) as file:  # noqa: PTH123
        lines = [line.split() for line in file.read().splitlines()]
    return {line[0]: unhexlify(line[1]) for line in lines}


def test_this_interpreter_writes_what_is_committed():
    with open(VECTORS) as file:  # noqa: PTH123
        assert file.read() == text_of(vectors()), REMEDY


def test_this_interpreter_reads_what_is_committed():
    found = written()
    for name, form, arguments in MESSAGES:
        got = getattr(m, "decode_" + name)(found["message_" + name])
        wanted = message_of(name, form, arguments)
        assert (got.__dict__ == wanted.__dict__) if form else (got == wanted), name
    for name, _, _, rows in BATCHES:
        assert batches.decode(found["batch_" + name]).rows() == rows, name


def test_a_hub_takes_the_node_side_of_the_committed_session():
    found, other = written(), hub()
    for name in ("hello", "proof", "readings", "ping"):
        other.receive(found["session_" + name])
        other.to_send()
    assert other.is_open


def test_a_node_takes_the_hub_side_of_the_committed_session():
    found, one = written(), node()
    assert one.greeting() == found["session_hello"]
    for name in ("challenge", "welcome", "ack", "pong"):
        one.receive(found["session_" + name])
    assert one.is_open
    one.receive(found["session_refuse"])
    assert one.is_closed
