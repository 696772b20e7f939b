"""Runs in MicroPython, too: plain functions and plain asserts."""

from binascii import hexlify, unhexlify
from hashlib import sha256

from shared_schema.digest import Hmac, equal, node_key

# RFC 4231, section 4: key, data, HMAC-SHA-256; test case 5 is cut to 128 bits there
RFC_4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        unhexlify("0102030405060708090a0b0c0d0e0f10111213141516171819"),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)


def test_macs_are_those_of_rfc_4231():
    for key, data, digest in RFC_4231:
        assert hexlify(Hmac(key).of(data)).decode()[: len(digest)] == digest


def test_one_key_serves_for_many_macs():
    hmac = Hmac(b"Jefe")
    hmac.of(b"something else")
    assert hexlify(hmac.of(b"what do ya want for nothing?")).decode() == RFC_4231[1][2]


def test_parts_count_as_one_text():
    hmac = Hmac(b"key")
    assert hmac.of(b"one", b"", memoryview(b"two"), bytearray(b"three")) == hmac.of(b"onetwothree")
    assert hmac.of() == hmac.of(b"")


def test_a_key_of_a_block_is_taken_as_it_is_and_a_longer_one_hashed():
    assert Hmac(b"k" * 64).of(b"x") != Hmac(sha256(b"k" * 64).digest()).of(b"x")
    assert Hmac(b"k" * 65).of(b"x") == Hmac(sha256(b"k" * 65).digest()).of(b"x")


def test_equal_sees_every_bit_and_the_length():
    mac = Hmac(b"key").of(b"x")
    assert equal(mac, bytes(mac))
    assert equal(memoryview(mac)[:8], mac[:8])
    assert not equal(mac, mac[:-1])
    for bit in range(8 * len(mac)):
        changed = bytearray(mac)
        changed[bit // 8] ^= 1 << bit % 8
        assert not equal(mac, bytes(changed))


def test_every_node_and_every_generation_has_its_own_key():
    site_key = bytes(32)
    keys = {node_key(site_key, name, generation) for name in ("tank-1", "tank-11") for generation in (1, 2)}
    assert len(keys) == 4
    assert node_key(site_key, "tank-1", 12) == Hmac(site_key).of(b"node:tank-1:12")
