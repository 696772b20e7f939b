"""Runs in MicroPython, too; test_bthome_decoded.py decodes what is made here independently."""

from firmware.node.bthome import Broadcaster, advertisement
from firmware.node.ccm import seal
from tests.firmware.fakes.aes import aes_of
from tests.firmware.fakes.errors import error_of

# bthome.io, "Encryption"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
MAC = bytes.fromhex("5448E68F80A5")
COUNTER = 0x33221100  # transmitted 00112233
TANK = (1, 2, 3, 4, 5, 6)
FLOW = (10, 11, 12, 13, 14, 15)


class Numbers:
    """Counts from a number, in memory."""

    def __init__(self, number=0):
        self.number = number

    def take(self):
        self.number += 1
        return self.number - 1


def packets(metrics, values, count, **keywords):
    broadcaster = Broadcaster(metrics, Numbers(), **keywords)
    return [broadcaster.service_data(values) for _ in range(count)]


def test_the_example_of_the_encryption_page():
    nonce = MAC + b"\xd2\xfc\x41" + bytes.fromhex("00112233")
    sealed, mic = seal(aes_of(KEY), nonce, bytes.fromhex("02CA0903BF13"))
    assert sealed == bytes.fromhex("a47266c95f73")
    assert mic == bytes.fromhex("78237214")


def test_encrypted_service_data_is_that_of_the_example():
    # Our humidity has one decimal, 50.5 %: the temperature alone is compared by the first three bytes.
    broadcaster = Broadcaster((30,), Numbers(COUNTER), aes_of(KEY), MAC)
    data = broadcaster.service_data((2_506,))
    assert data[:4] == bytes.fromhex("41a47266")
    assert data[4:8] == bytes.fromhex("00112233")
    assert len(data) == 1 + 3 + 4 + 4


def test_the_plain_example_of_the_format_page():
    # 0x40 02C409 03BF13 is 25.00 degrees and 50.55 %; ours carry a packet id and one decimal of humidity
    assert packets((30, 31), (2_500, 505), 1) == [bytes.fromhex("40000002c40903ba13")]


def test_objects_ascend_by_their_id_whatever_the_order_of_metrics():
    data = packets((6, 3, 1), (370, -1_234, 1_500), 1)[0]
    assert data == bytes.fromhex("400000" + "022efb" + "0c740e" + "40dc05")


def test_packet_ids_count_and_wrap():
    broadcaster = Broadcaster((3,), Numbers(254))
    assert [broadcaster.service_data((0,))[2] for _ in range(3)] == [254, 255, 0]


def test_an_advertisement_has_flags_and_fits():
    for metrics in (TANK, FLOW, (30, 31, 32, 34), (50, 51, 52, 55)):
        for data in packets(metrics, (1,) * len(metrics), 3):
            packet = advertisement(data)
            assert packet[:3] == b"\x02\x01\x06"
            assert packet[3] == len(packet) - 4
            assert packet[4:7] == b"\x16\xd2\xfc"
            assert len(packet) <= 31


def test_encrypted_objects_take_turns_in_15_bytes():
    keywords = {"encrypt_block": aes_of(KEY), "mac": MAC}
    # 3 + 5 + 4 + 3 bytes fit and the voltage does not; then it leads, and the temperature does not fit
    made = packets(FLOW, (1, 2, 3, 4, 5, 6), 2, **keywords)
    assert [len(data) - 9 for data in made] == [15, 15]
    assert made[0] != made[1]
    assert max([len(advertisement(data)) for data in made]) <= 31


def test_what_is_not_there_or_does_not_fit_is_left_out():
    assert packets((3, 1), (None, 70_000), 1) == [b"\x40\x00\x00"]
    assert packets((1, 10), (-1, -5), 1) == [b"\x40\x00\x00"]
    assert packets((3,), (32_768,), 1) == [b"\x40\x00\x00"]


def test_every_metric_meets_its_object():
    for metric, value, expected in (
        (1, 50_000, "4050c3"),
        (2, 1_000, "5540420f00"),
        (6, 1_250, "0cd430"),
        (10, 12_345, "49e402"),  # 12.345 l/min are 740 l/h
        (11, 12_345, "4f44d61200"),  # 1234.5 l
        (12, 2_500, "0490d003"),  # 2.5 bar are 250000 Pa
        (20, 12_345, "41d204"),  # 123.4 m
        (24, 1_500, "5cf0490200"),
        (24, -1_500, "5c10b6fdff"),
        (32, 10_132, "04c88b01"),
        (34, 15_000, "56dc05"),
        (50, 23_050, "4a0109"),
        (55, 1_234_567, "4d87d61200"),
    ):
        assert packets((metric,), (value,), 1)[0][3:] == bytes.fromhex(expected), metric


def test_metrics_without_an_object_come_over_the_link_alone():
    assert packets((4, 5), (700, 720), 1) == [b"\x40\x00\x00"]


def test_two_metrics_of_one_object_are_refused():
    assert "one BTHome object" in error_of(lambda: Broadcaster((20, 21), Numbers()))


def test_encryption_needs_the_address():
    assert "mac" in error_of(lambda: Broadcaster((3,), Numbers(), aes_of(KEY)))
