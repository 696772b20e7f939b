"""Both ends of a node link for tests: a node, its hub, and what was said between them."""

from shared_schema.frames import WELCOME
from shared_schema.link import HubSession, LinkError, NodeSession
from shared_schema.messages import Hello, Welcome, encode_hello, encode_welcome

KEY = bytes(range(32))
HUB_NONCE = b"hub's nonce 0001"
NODE_NONCE = b"node's nonce 001"


def hello(nonce=NODE_NONCE, device_key="tank-1"):
    return encode_hello(Hello(nonce, device_key, 1, 7, 101, 161, "1.4.0", "esp32", 3, 9))


def node(key=KEY, nonce=NODE_NONCE):
    return NodeSession(key, hello(nonce))


def hub(key=KEY, nonce=HUB_NONCE):
    return HubSession("hub-1", nonce, lambda _: key)


def greet(one, other):
    """Let both exchange what they have to send, and return all of it: HELLO, CHALLENGE, PROOF."""
    said = [one.greeting()]
    other.receive(said[-1])
    said.append(other.to_send())
    one.receive(said[-1])
    said.append(one.to_send())
    other.receive(said[-1])
    return said


def open_pair():
    """Return node and hub of an open session."""
    one, other = node(), hub()
    greet(one, other)
    return one, other


def welcome(other):
    return other.seal(WELCOME, encode_welcome(Welcome(1_790_000_000_000, 100, 3)))


def plain(messages):
    """Return the messages with their payloads as bytes."""
    return [(type_id, bytes(payload)) for type_id, payload in messages]


def fault(call, *arguments):
    """Return what the LinkError that call raises says; anything else goes through."""
    try:
        call(*arguments)
    except LinkError as error:
        return str(error)
    raise AssertionError("no LinkError")


def refused(call, *arguments):
    """Return True when call raises ValueError for what its caller asked."""
    try:
        call(*arguments)
    except ValueError as error:
        return not isinstance(error, LinkError)
    return False
