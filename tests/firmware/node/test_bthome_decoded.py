"""What a node broadcasts, read by another: the table of the format page and the AES-CCM of cryptography."""

import struct
from fractions import Fraction

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import example, given
from hypothesis import strategies as st

from firmware.node.bthome import OBJECTS, Broadcaster, advertisement
from firmware.node.ccm import seal
from firmware.node.stride_counter import StrideCounter
from shared_schema.metrics import KINDS, Metric
from tests.firmware.fakes.aes import aes_of

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
MAC = bytes.fromhex("5448E68F80A5")

# bthome.io, "BTHome v2 format": object id: property, data type, factor, unit, the same in our metric's unit
FORMAT = {
    0x00: ("packet id", "B", Fraction(1)),
    0x02: ("temperature", "<h", Fraction(1, 100)),  # degrees
    0x03: ("humidity", "<H", Fraction(1, 100)),  # %
    0x04: ("pressure", "<I", Fraction(1, 100)),  # hPa, 3 bytes
    0x0C: ("voltage", "<H", Fraction(1, 1000)),  # V
    0x3E: ("count", "<I", Fraction(1)),
    0x40: ("distance", "<H", Fraction(1)),  # mm
    0x41: ("distance", "<H", Fraction(1, 10)),  # m
    0x43: ("current", "<H", Fraction(1, 1000)),  # A
    0x49: ("volume flow rate", "<H", Fraction(1, 1000)),  # m3/h
    0x4A: ("voltage", "<H", Fraction(1, 10)),  # V
    0x4D: ("energy", "<I", Fraction(1, 1000)),  # kWh
    0x4F: ("water", "<I", Fraction(1, 1000)),  # l
    0x55: ("volume storage", "<I", Fraction(1, 1000)),  # l
    0x56: ("conductivity", "<H", Fraction(1)),  # uS/cm
    0x5C: ("power", "<i", Fraction(1, 100)),  # W
    0x61: ("rotational speed", "<H", Fraction(1)),  # 1/min
}
THREE_BYTES = {0x04}
INTO_OUR_UNIT = {
    "water_level_cm": Fraction(1, 10),
    "flow_rate_lpm": Fraction(1000, 60),
    "pressure_bar": Fraction(1, 1000),
}
METRICS = {metric.id: metric for kind in KINDS for metric in kind.fields if isinstance(metric, Metric)}
CHOICES = (
    (1, 2, 3, 4, 5, 6),
    (10, 11, 12, 13, 14),
    (20, 23, 24, 25),
    (30, 31, 32, 33, 34),
    (50, 51, 52, 53, 55),
    (1, 2, 3, 11, 24, 55),  # of no kind, and more than fits when it is plain
)
MOSTLY_THERE = st.integers(0, 9).flatmap(lambda die: st.integers(0, 6_543) if die else st.none())


class Numbers:
    def __init__(self, number: int = 0) -> None:
        self.number = number

    def take(self) -> int:
        self.number += 1
        return self.number - 1


def service_data(packet: bytes) -> bytes:
    """Return what stands behind the UUID of an advertisement."""
    assert len(packet) <= 31
    at = 0
    while at < len(packet):
        length, kind = packet[at], packet[at + 1]
        if kind == 0x16 and packet[at + 2 : at + 4] == b"\xd2\xfc":
            return packet[at + 4 : at + 1 + length]
        at += 1 + length
    raise AssertionError("no BTHome service data")


def objects(data: bytes) -> dict[int, Fraction]:
    """Return the values by object id. Fails when ids do not ascend or bytes are left."""
    found: dict[int, Fraction] = {}
    while data:
        name, form, factor = FORMAT[data[0]]
        length = 3 if data[0] in THREE_BYTES else struct.calcsize(form)
        assert len(data) > length, name
        padding = bytes(struct.calcsize(form) - length)
        assert all(data[0] > earlier for earlier in found)
        found[data[0]] = struct.unpack(form, data[1 : 1 + length] + padding)[0] * factor
        data = data[1 + length :]
    return found


def opened(data: bytes) -> tuple[int, bytes]:
    """Return counter and objects of encrypted service data. Raises InvalidTag."""
    assert data[0] == 0x41
    sealed, counter, mic = data[1:-8], data[-8:-4], data[-4:]
    nonce = MAC + b"\xd2\xfc" + data[:1] + counter
    return int.from_bytes(counter, "little"), AESCCM(KEY, tag_length=4).decrypt(nonce, sealed + mic, None)


def in_our_unit(metric: Metric, value: Fraction) -> Fraction:
    return value * INTO_OUR_UNIT.get(metric.name, Fraction(1))


def is_near(metric: Metric, value: Fraction, scaled: int) -> bool:
    """Return whether a decoded value is the scaled one, cut to the object's resolution."""
    resolution = in_our_unit(metric, FORMAT[OBJECTS[metric.id][0]][2])
    return abs(in_our_unit(metric, value) - Fraction(scaled, 10**metric.decimals)) < resolution


@pytest.mark.parametrize("metric", [METRICS[number] for number in OBJECTS], ids=lambda metric: metric.name)
def test_every_object_means_its_metric(metric: Metric) -> None:
    for scaled in (0, 1, 7, 99, 1_000, 6_543):
        made = Broadcaster((metric.id,), Numbers()).service_data((scaled,))
        decoded = objects(made[1:])
        assert is_near(metric, decoded[OBJECTS[metric.id][0]], scaled)


@example(bytes(300), bytes(13), bytes(16))
@given(st.binary(max_size=600), st.binary(min_size=13, max_size=13), st.binary(min_size=16, max_size=16))
def test_ccm_is_that_of_cryptography(text: bytes, nonce: bytes, key: bytes) -> None:
    sealed, mic = seal(aes_of(key), nonce, text)
    assert sealed + mic == AESCCM(key, tag_length=4).encrypt(nonce, text, None)


@given(st.sampled_from(CHOICES), st.data(), st.booleans())
def test_every_value_arrives_within_a_few_advertisements(metrics, data, is_encrypted: bool) -> None:
    values = [data.draw(MOSTLY_THERE) for _ in metrics]
    keywords = {"encrypt_block": aes_of(KEY), "mac": MAC} if is_encrypted else {}
    broadcaster = Broadcaster(metrics, Numbers(), **keywords)
    arrived: dict[int, Fraction] = {}
    for _ in range(3):
        received = service_data(advertisement(broadcaster.service_data(values)))
        arrived.update(objects(opened(received)[1] if is_encrypted else received[1:]))
    expected = {
        OBJECTS[metric][0]: (METRICS[metric], value)
        for metric, value in zip(metrics, values, strict=True)
        if metric in OBJECTS and value is not None
    }
    arrived.pop(0x00, None)
    assert set(arrived) == set(expected)
    assert all(is_near(metric, arrived[number], value) for number, (metric, value) in expected.items())


def test_a_changed_bit_anywhere_is_noticed() -> None:
    made = Broadcaster((1, 3), Numbers(7), aes_of(KEY), MAC).service_data((1_500, 2_000))
    assert opened(made)[0] == 7
    for bit in range(8, 8 * len(made)):
        changed = bytearray(made)
        changed[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(InvalidTag):
            opened(bytes(changed))


def test_counters_rise_over_restarts_and_no_nonce_comes_twice() -> None:
    flash = [0]
    seen: list[int] = []
    for taken in (1, 300, 5, 0, 256, 2):
        counter = StrideCounter(lambda: flash[0], lambda limit: flash.__setitem__(0, limit))
        broadcaster = Broadcaster((3,), counter, aes_of(KEY), MAC)
        seen += [opened(broadcaster.service_data((2_000,)))[0] for _ in range(taken)]
    assert seen == sorted(set(seen))
