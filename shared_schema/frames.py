"""Frames of the node link: where one ends and the next begins, and which types there are.

    frame = u16be length | u8 type | payload [| 8-byte MAC]

The length counts everything behind itself. What may come when, and the MAC, is link.py's; payloads are
those of messages.py and batches.py.
"""

import struct

from shared_schema.packing import LinkError

MAX_FRAME = 4096  # an update's manifest of 40 files; less than the 6.4 kB a Pico W's TCP takes at a time
MAX_GREETING = 512  # of a peer that has not proved itself; the longest HELLO takes 176
MAC_BYTES = 8
MAX_PAYLOAD = MAX_FRAME - 1 - MAC_BYTES

HELLO = 1
CHALLENGE = 2
PROOF = 3
REFUSE = 4
WELCOME = 5
READINGS = 6
ACK = 7
PING = 8
PONG = 9
TIME = 10
CONFIG = 11
CONFIG_STATE = 12
COMMAND = 13
RESULT = 14
HEALTH = 15
UPDATE = 16
CHUNK_WANTED = 17
CHUNK = 18
UPDATE_STATE = 19
LOSS = 20
EVENT = 21
TIME_WANTED = 22
HUBS = 23

TO_HUB = 1
TO_NODE = 2

# number, name, directions; numbers are never reused
TYPES = (
    (HELLO, "HELLO", TO_HUB),
    (CHALLENGE, "CHALLENGE", TO_NODE),
    (PROOF, "PROOF", TO_HUB),
    (REFUSE, "REFUSE", TO_NODE),
    (WELCOME, "WELCOME", TO_NODE),
    (READINGS, "READINGS", TO_HUB),
    (ACK, "ACK", TO_NODE),
    (PING, "PING", TO_HUB | TO_NODE),
    (PONG, "PONG", TO_HUB | TO_NODE),
    (TIME, "TIME", TO_NODE),
    (CONFIG, "CONFIG", TO_NODE),
    (CONFIG_STATE, "CONFIG_STATE", TO_HUB),
    (COMMAND, "COMMAND", TO_NODE),
    (RESULT, "RESULT", TO_HUB),
    (HEALTH, "HEALTH", TO_HUB),
    (UPDATE, "UPDATE", TO_NODE),
    (CHUNK_WANTED, "CHUNK_WANTED", TO_HUB),
    (CHUNK, "CHUNK", TO_NODE),
    (UPDATE_STATE, "UPDATE_STATE", TO_HUB),
    (LOSS, "LOSS", TO_HUB),
    (EVENT, "EVENT", TO_HUB),
    (TIME_WANTED, "TIME_WANTED", TO_HUB),
    (HUBS, "HUBS", TO_NODE),
)


def frame(type_id: int, *parts: bytes | bytearray | memoryview) -> bytes:
    """Return one frame. Raises ValueError when it is longer than MAX_FRAME."""
    length = 1 + sum([len(part) for part in parts])
    if length > MAX_FRAME:
        raise ValueError("a frame of %d bytes; %d are the most" % (length, MAX_FRAME))
    return struct.pack(">HB", length, type_id) + b"".join(parts)


class FrameReader:
    """Cuts a stream into frames, in whatever pieces it comes.

    limit: the longest frame accepted; may be raised between two frames. Holds what it was last fed, and of
    an unfinished frame what has arrived, never more than limit says.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._frame = bytearray()
        self._fed = memoryview(b"")

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next piece; every frame of the last one must have been taken out with next()."""
        if len(self._fed):
            raise RuntimeError("fed again before next() said None")
        self._fed = memoryview(data)

    def next(self) -> tuple[int, memoryview] | None:
        """Return type and everything behind it, or None until more is fed.

        Raises LinkError on a length of 0 or beyond limit, as soon as the length is known.
        """
        if not self._gather(2):
            return None
        length = self._frame[0] << 8 | self._frame[1]
        if not 1 <= length <= self.limit:
            raise LinkError("length %d" % length)
        if not self._gather(2 + length):
            return None
        whole, self._frame = self._frame, bytearray()
        return whole[2], memoryview(whole)[3:]

    def _gather(self, size: int) -> bool:
        """Fill the frame up to size; True when it has got that far."""
        missing = size - len(self._frame)
        if missing > 0:
            self._frame.extend(self._fed[:missing])
            self._fed = self._fed[missing:]
        return missing <= 0 or len(self._frame) == size
