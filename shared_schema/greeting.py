"""How node and hub introduce themselves, before the session is open. What the MACs cover is said in link.py.

encode_x raises ValueError for what does not fit; decode_x raises LinkError.
"""

import struct

from shared_schema.digest import DIGEST_BYTES
from shared_schema.limits import DEVICE_KEY_LENGTH
from shared_schema.packing import Reader, cut_utf8, text8

VERSION = 1
NONCE_BYTES = 16

VERSION_LENGTH = 32  # of a firmware version or a board's name
REFUSAL_LENGTH = 80  # a sentence for the node's log

BATTERY = 1  # flags of HELLO
SAFE_MODE = 2
TRIAL_BOOT = 4
CLOCK_KNOWN = 8


class RefusalCode:
    """Why a hub does not talk to a node."""

    VERSION = 1  # it does not speak this version of the protocol
    UNKNOWN = 2  # it does not know the device key
    REVOKED = 3
    BUSY = 4  # try again later
    PENDING = 5  # a person has to approve the node first
    NAMES = ("version", "unknown", "revoked", "busy", "pending")  # from 1


class Hello:
    """Who dials, and what it has: rows oldest_seq up to, not including, next_seq of this epoch.

    nonce: NONCE_BYTES, new for every connection. flags: BATTERY, SAFE_MODE, TRIAL_BOOT, CLOCK_KNOWN.
    """

    def __init__(
        self,
        nonce: bytes,
        device_key: str,
        generation: int,
        epoch: int,
        oldest_seq: int,
        next_seq: int,
        firmware_version: str,
        board: str,
        config_version: int,
        flags: int = 0,
    ) -> None:
        self.nonce = nonce
        self.device_key = device_key
        self.generation = generation
        self.epoch = epoch
        self.oldest_seq = oldest_seq
        self.next_seq = next_seq
        self.firmware_version = firmware_version
        self.board = board
        self.config_version = config_version
        self.flags = flags


def encode_hello(hello: Hello) -> bytes:
    """u8 VERSION | 16 nonce | text8 key | u32 generation, epoch | u64 oldest, next | 2 text8 | u32 | u8."""
    if len(hello.nonce) != NONCE_BYTES:
        raise ValueError("a nonce of %d bytes; %d are needed" % (len(hello.nonce), NONCE_BYTES))
    return (
        bytes([VERSION])
        + hello.nonce
        + text8(hello.device_key, DEVICE_KEY_LENGTH)
        + struct.pack(">IIQQ", hello.generation, hello.epoch, hello.oldest_seq, hello.next_seq)
        + text8(hello.firmware_version, VERSION_LENGTH)
        + text8(hello.board, VERSION_LENGTH)
        + struct.pack(">IB", hello.config_version, hello.flags)
    )


def decode_hello(payload: bytes | memoryview) -> Hello:
    """Read a HELLO of this VERSION; other versions are told apart by the first byte, which stays."""
    reader = Reader(payload)
    reader.u8()
    hello = Hello(
        bytes(reader.take(NONCE_BYTES)),
        reader.text8(DEVICE_KEY_LENGTH),
        reader.u32(),
        reader.u32(),
        reader.u64(),
        reader.u64(),
        reader.text8(VERSION_LENGTH),
        reader.text8(VERSION_LENGTH),
        reader.u32(),
        reader.u8(),
    )
    reader.end()
    return hello


class Challenge:
    """The hub proves itself and asks for proof. mac: see link.py."""

    def __init__(self, nonce: bytes, hub_key: str, mac: bytes) -> None:
        self.nonce = nonce
        self.hub_key = hub_key
        self.mac = mac


def encode_challenge(challenge: Challenge) -> bytes:
    """16 nonce | text8 hub_key | 32 mac."""
    return challenge.nonce + text8(challenge.hub_key, DEVICE_KEY_LENGTH) + challenge.mac


def decode_challenge(payload: bytes | memoryview) -> Challenge:
    """Read a CHALLENGE."""
    reader = Reader(payload)
    challenge = Challenge(
        bytes(reader.take(NONCE_BYTES)), reader.text8(DEVICE_KEY_LENGTH), bytes(reader.take(DIGEST_BYTES))
    )
    reader.end()
    return challenge


class Refusal:
    """Why the hub does not talk to this node. code: of RefusalCode. text: cut to REFUSAL_LENGTH."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code = code
        self.text = text


def encode_refusal(refusal: Refusal) -> bytes:
    """u8 code | text."""
    return bytes([refusal.code]) + cut_utf8(refusal.text, REFUSAL_LENGTH)


def decode_refusal(payload: bytes | memoryview) -> Refusal:
    """Read a REFUSE. Its code may be one that this version does not know."""
    reader = Reader(payload)
    return Refusal(reader.u8(), reader.rest_text(REFUSAL_LENGTH))
