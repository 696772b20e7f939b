"""HMAC-SHA256 as boards can have it: their SHA-256 cannot be copied, so the pads are prepared, not the state.

Source: RFC 2104; test vectors in RFC 4231.
"""

from hashlib import sha256

DIGEST_BYTES = 32
BLOCK_BYTES = 64  # of SHA-256

_INNER = 0x36
_OUTER = 0x5C


class Hmac:
    """HMAC-SHA256 with one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) > BLOCK_BYTES:
            key = sha256(key).digest()
        block = key + bytes(BLOCK_BYTES - len(key))
        self._inner = bytes([byte ^ _INNER for byte in block])
        self._outer = bytes([byte ^ _OUTER for byte in block])

    def of(self, *parts: bytes | bytearray | memoryview) -> bytes:
        """Return the 32-byte MAC of all parts, one after the other."""
        inner = sha256(self._inner)
        for part in parts:
            inner.update(part)
        outer = sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


def equal(one: bytes | memoryview, other: bytes | memoryview) -> bool:
    """Compare without telling by the time taken where the first difference is."""
    if len(one) != len(other):
        return False
    difference = 0
    for index in range(len(one)):
        difference |= one[index] ^ other[index]
    return difference == 0


def node_key(site_key: bytes, device_key: str, generation: int) -> bytes:
    """Return the 32-byte key of one node. It tells nothing of site_key or other nodes."""
    return Hmac(site_key).of(("node:%s:%d" % (device_key, generation)).encode())
