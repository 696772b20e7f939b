"""The session between a node and a hub, without I/O: bytes in, messages out.

    node                                   hub
     | -- HELLO (nonce_n, who, what) ------> |
     | <- CHALLENGE (nonce_h, MAC) --------- |   or REFUSE, and the end
     | -- PROOF (MAC) ---------------------> |
     | <------- sealed frames, both -------> |

Rule 1: what may arrive is in the tables below; anything else ends the session.
Rule 2: both prove that they hold the node's key before anything is believed, and both MACs cover both
    nonces and everything said so far, so nothing of another session can be used again.
    CHALLENGE: HMAC(key, "hub" | HELLO | nonce_h | text8 hub_key)
    PROOF: HMAC(key, "node" | HELLO | CHALLENGE)
Rule 3: each direction has its own key, HMAC(key, "n2h" or "h2n" | nonce_n | nonce_h), and counts its frames
    from 0. The seal is the first 8 bytes of HMAC(direction key, u64be count | type | payload). The count is
    not sent: a frame that was dropped, repeated, swapped or changed does not match.
Rule 4: a fault is a LinkError and final. Nothing is resynchronised; the connection is closed, and what was
    not acknowledged is sent again in the next one.
Rule 5: a REFUSE ends the session, and what follows it is not looked at. Before the session is open it proves
    nothing: a node waits and tries again, and forgets nothing.

The node is open once it answered the challenge: it may send at once, and the hub's first sealed frame is
WELCOME. What the link gives and what it does not is in docs/NODE_LINK.md.
"""

import struct

from shared_schema.digest import Hmac, equal
from shared_schema.frames import (
    CHALLENGE,
    HELLO,
    MAC_BYTES,
    MAX_FRAME,
    MAX_GREETING,
    MAX_PAYLOAD,
    PROOF,
    REFUSE,
    TO_HUB,
    TO_NODE,
    TYPES,
    FrameReader,
    frame,
)
from shared_schema.greeting import (
    NONCE_BYTES,
    VERSION,
    Challenge,
    Hello,
    Refusal,
    RefusalCode,
    decode_challenge,
    decode_hello,
    encode_challenge,
    encode_refusal,
)
from shared_schema.packing import LinkError as LinkError  # noqa: PLC0414 - people look for it here
from shared_schema.packing import text8

START = "start"
GREETED = "greeted"
OPEN = "open"
CLOSED = "closed"  # by a refusal
FAILED = "failed"

_GREETING = (HELLO, CHALLENGE, PROOF)


def _sealed(direction: int) -> dict[int, str]:
    """Return what an open session takes from this direction."""
    table = {number: OPEN for number, _, way in TYPES if way & direction and number not in _GREETING}
    if REFUSE in table:
        table[REFUSE] = CLOSED
    return table


# What may arrive in which state, and the state after it.
NODE_TABLE: dict[str, dict[int, str]] = {
    START: {},
    GREETED: {CHALLENGE: OPEN, REFUSE: CLOSED},
    OPEN: _sealed(TO_NODE),
    CLOSED: {},
    FAILED: {},
}
HUB_TABLE: dict[str, dict[int, str]] = {
    START: {HELLO: GREETED},  # or CLOSED, by a refusal
    GREETED: {PROOF: OPEN},
    OPEN: _sealed(TO_HUB),
    CLOSED: {},
    FAILED: {},
}


class _Seal:
    """One direction of an open session: its key and its count."""

    def __init__(self, key: Hmac, label: bytes, nonces: bytes) -> None:
        self._hmac = Hmac(key.of(label, nonces))
        self._count = 0

    def next(self, type_id: int, payload: bytes | bytearray | memoryview) -> bytes:
        """Return the MAC of the next frame."""
        head = struct.pack(">QB", self._count, type_id)
        self._count += 1
        return self._hmac.of(head, payload)[:MAC_BYTES]


class _Session:
    """What both ends have in common: the state, the reader, the seals, and what has to go out."""

    def __init__(self, table: dict[str, dict[int, str]], sends: int) -> None:
        self._table = table
        self._sends = _sealed(sends)
        self._state = START
        self._reader = FrameReader(MAX_GREETING)
        self._out = b""
        self._seal_in: _Seal | None = None
        self._seal_out: _Seal | None = None

    @property
    def is_open(self) -> bool:
        """True while sealed frames may go both ways."""
        return self._state == OPEN

    @property
    def is_closed(self) -> bool:
        """True after a fault or a refusal: send what to_send() has, then close the connection."""
        return self._state in (CLOSED, FAILED)

    def receive(self, data: bytes | bytearray | memoryview) -> list[tuple[int, memoryview]]:
        """Take what arrived, in whatever pieces; return the messages in it, without their seals.

        Raises LinkError at the first fault, and ever after; messages in front of it in the same piece are
        dropped with it. What to_send() has afterwards must be sent before anything is sealed.
        """
        if self._state == FAILED:
            raise LinkError("closed")
        messages: list[tuple[int, memoryview]] = []
        if self._state == CLOSED:
            return messages
        self._reader.feed(data)
        found = self._next()
        while found is not None:
            messages += self._arrived(found[0], found[1])
            found = self._next()
        return messages

    def to_send(self) -> bytes:
        """Return what must go out now, once."""
        out, self._out = self._out, b""
        return out

    def seal(self, type_id: int, payload: bytes | bytearray | memoryview = b"") -> bytes:
        """Return the frame that carries payload. Every sealed frame must be sent, in this order.

        Raises ValueError when the session is not open, to_send() was not asked, this end does not send this
        type, or payload is longer than frames.MAX_PAYLOAD.
        """
        if self._seal_out is None or self._state != OPEN or self._out:
            raise ValueError("sealed before the session was open, or before to_send() was asked")
        if type_id not in self._sends or len(payload) > MAX_PAYLOAD:
            raise ValueError("type %d with %d bytes is not for this end to send" % (type_id, len(payload)))
        return frame(type_id, payload, self._seal_out.next(type_id, payload))

    def _next(self) -> tuple[int, memoryview] | None:
        if self._state == CLOSED:
            return None
        try:
            return self._reader.next()
        except LinkError:
            self._state = FAILED
            raise

    def _arrived(self, type_id: int, payload: memoryview) -> list[tuple[int, memoryview]]:
        state, self._state = self._state, FAILED  # unless everything below goes well, whatever is raised
        following = self._table[state].get(type_id)
        if following is None:
            raise LinkError("type %d in state %s" % (type_id, state))
        if state == OPEN:
            payload = self._unsealed(type_id, payload)
        elif type_id != REFUSE:
            if self._is_greeted(payload):
                self._state = following
            return []
        self._state = following
        return [(type_id, payload)]

    def _is_greeted(self, payload: memoryview) -> bool:
        """Answer a frame of the greeting; False when the answer is a refusal."""
        raise NotImplementedError

    def _unsealed(self, type_id: int, payload: memoryview) -> memoryview:
        end = len(payload) - MAC_BYTES
        if self._seal_in is None or end < 0:
            raise LinkError("no seal")
        if not equal(payload[end:], self._seal_in.next(type_id, payload[:end])):
            raise LinkError("wrong seal")
        return payload[:end]


class NodeSession(_Session):
    """The node's end. key: the node key. hello: made by encode_hello, with a nonce never used before.

    hub_key: the hub that proved itself, once open.
    """

    def __init__(self, key: bytes, hello: bytes) -> None:
        super().__init__(NODE_TABLE, TO_HUB)
        self.hub_key = ""
        self._key = Hmac(key)
        self._hello = hello

    def greeting(self) -> bytes:
        """Return the framed HELLO, the first thing to send."""
        self._state = GREETED
        return frame(HELLO, self._hello)

    def _is_greeted(self, payload: memoryview) -> bool:
        challenge = decode_challenge(payload)
        if not equal(challenge.mac, _hub_mac(self._key, self._hello, challenge.nonce, challenge.hub_key)):
            raise LinkError("the hub does not hold this node's key")
        nonces = self._hello[1 : 1 + NONCE_BYTES] + challenge.nonce
        self._seal_in, self._seal_out = _Seal(self._key, b"h2n", nonces), _Seal(self._key, b"n2h", nonces)
        self._out = frame(PROOF, self._key.of(b"node", self._hello, payload))
        self._reader.limit = MAX_FRAME
        self.hub_key = challenge.hub_key
        return True


class HubSession(_Session):
    """The hub's end. nonce: 16 random bytes never used before.

    key_of: asked with the Hello; returns the node's key, or the Refusal to send instead.
    hello: who says to dial; believed once open. refusal: what was sent instead of a welcome.
    """

    def __init__(self, hub_key: str, nonce: bytes, key_of) -> None:  # type: ignore[no-untyped-def] # a board has no Callable
        super().__init__(HUB_TABLE, TO_NODE)
        self.hello: Hello | None = None
        self.refusal: Refusal | None = None
        self._hub_key = hub_key
        self._nonce = nonce
        self._key_of = key_of
        self._proof = b""

    def refuse(self, code: int, text: str = "") -> bytes:
        """Return the REFUSE to send before the connection is closed, sealed when the session is open."""
        self.refusal = Refusal(code, text)
        payload = encode_refusal(self.refusal)
        refused = self.seal(REFUSE, payload) if self.is_open else frame(REFUSE, payload)
        self._state = CLOSED
        return refused

    def _is_greeted(self, payload: memoryview) -> bool:
        if self.hello is None:
            refusal = self._challenged(bytes(payload))
            if refusal is not None:
                self._out = self.refuse(refusal.code, refusal.text)
            return refusal is None
        if not equal(payload, self._proof):
            raise LinkError("the node does not hold its key")
        self._reader.limit = MAX_FRAME
        return True

    def _challenged(self, payload: bytes) -> Refusal | None:
        """Put a CHALLENGE out, or return why there is none."""
        if payload[:1] != bytes([VERSION]):
            return Refusal(RefusalCode.VERSION, "this hub speaks version %d" % VERSION)
        self.hello = decode_hello(payload)
        found = self._key_of(self.hello)
        if isinstance(found, Refusal):
            return found
        key, nonces = Hmac(found), self.hello.nonce + self._nonce
        mac = _hub_mac(key, payload, self._nonce, self._hub_key)
        challenge = encode_challenge(Challenge(self._nonce, self._hub_key, mac))
        self._proof = key.of(b"node", payload, challenge)
        self._seal_in, self._seal_out = _Seal(key, b"n2h", nonces), _Seal(key, b"h2n", nonces)
        self._out = frame(CHALLENGE, challenge)
        return None


def _hub_mac(key: Hmac, hello: bytes, nonce: bytes, hub_key: str) -> bytes:
    return key.of(b"hub", hello, nonce, text8(hub_key))
