"""Runs in MicroPython, too: plain functions and plain asserts."""

from firmware.node.discover import BadAnswer, host_of, hubs_in, question
from tests.firmware.node.mdns_packets import PTR, SERVICE, SRV, TXT, A, hub, name, packet, record, srv, texts

SOURCE = "10.0.0.1"
# python-zeroconf's own answer to this question, as it came: pointers, the question repeated, an NSEC record
REAL = bytes.fromhex(
    "0000840000010001000000040c5f696f742d6d6f6e69746f72045f746370056c6f63616c00000c0001c00c000c00010000"
    "1194000805687562"
    "2d31c00c076875622d312d78c01e000100010000007800047f000001c035002100010000007800080000"
    "00001f41c03dc03d002f00010000007800"
    "05c03d000140c0350010000100001194002 80f6465766963655f69643d6875622d3108726f6c653d6875620e6e6f64655f"
    "706f72743d38323631".replace(" ", "")
)


def is_refused(data):
    try:
        hubs_in(data, 7, SOURCE)
    except BadAnswer:
        return True
    return False


def test_asks_for_pointers_to_hubs_and_for_an_answer_of_its_own():
    asked = question(0x1234)
    assert asked[:6] == b"\x12\x34\x00\x00\x00\x01"
    assert asked[12:] == name(SERVICE) + b"\x00\x0c\x80\x01"


def test_reads_what_a_real_responder_sends():
    assert hubs_in(REAL, 0, "127.0.0.1") == [("127.0.0.1", 8261)]
    assert hubs_in(memoryview(REAL), 0, "127.0.0.1") == [("127.0.0.1", 8261)]


def test_reads_records_in_any_order():
    records = hub()
    assert hubs_in(packet(*records), 7, SOURCE) == [(SOURCE, 8266)]
    assert hubs_in(packet(*reversed(records)), 7, SOURCE) == [(SOURCE, 8266)]


def test_of_a_hubs_addresses_takes_the_one_that_answered():
    records = hub(hosts=((172, 16, 0, 1), (10, 0, 0, 1), (192, 168, 1, 1)))
    assert hubs_in(packet(*records), 7, SOURCE) == [(SOURCE, 8266)]
    assert hubs_in(packet(*records), 7, "10.9.9.9") == [("172.16.0.1", 8266)]


def test_names_are_the_same_in_any_case():
    records = hub()
    records[0] = record(name("_IoT-Monitor._TCP.LOCAL"), PTR, name("HUB-1." + SERVICE))
    assert hubs_in(packet(*records), 7, SOURCE) == [(SOURCE, 8266)]


def test_a_hub_without_a_port_for_nodes_or_without_an_address_is_none():
    for port in ("0", "", "-1", "70000", "8266x", "123456789", "٣"):
        assert hubs_in(packet(*hub(port=port)), 7, SOURCE) == [], port
    assert hubs_in(packet(*hub(hosts=())), 7, SOURCE) == []
    for host in ((0, 0, 0, 0), (224, 0, 0, 251), (255, 255, 255, 255)):
        assert hubs_in(packet(*hub(hosts=(host,))), 7, SOURCE) == [], host
    for missing in range(4):
        records = hub()
        del records[missing]
        assert hubs_in(packet(*records), 7, SOURCE) == [], missing


def test_what_answers_another_question_is_refused():
    assert is_refused(packet(*hub(), number=8))
    assert is_refused(packet(*hub(), flags=0x0000))  # a question
    assert is_refused(packet(*hub(), flags=0x8403))  # no such name
    assert is_refused(b"")
    assert is_refused(question(7))


def test_another_service_is_no_hub():
    records = hub()
    records[0] = record(name("_http._tcp.local"), PTR, name("hub-1." + SERVICE))
    assert hubs_in(packet(*records), 7, SOURCE) == []


def test_no_pointer_leads_on_or_in_a_circle():
    assert is_refused(packet(record(b"\xc0\x0c", PTR, b"")))  # at itself
    assert is_refused(packet(record(b"\xc0\xff", PTR, b"")))  # ahead
    assert is_refused(packet(record(b"\xc0", 0, b"")[:1]))
    assert is_refused(packet(record(b"\x01a\xc0\x0c", PTR, b"")))  # back to its own label
    backwards = record(name("a.b"), A, b"") + record(b"\xc0\x0c", A, b"") + record(b"\xc0\x17", A, b"")
    assert not is_refused(packet(backwards, count=1))


def test_names_have_an_end():
    label = b"\x3f" + b"x" * 63
    assert is_refused(packet(record(label * 5 + b"\0", A, b"")))
    assert is_refused(packet(record(b"\x40" + b"x" * 64 + b"\0", A, b"")))
    assert is_refused(packet(b"\x3fxx"))


def test_counts_and_lengths_are_bounded():
    assert is_refused(packet(*hub(), count=5000))
    assert is_refused(packet(*hub(), questions=2))
    assert is_refused(packet(record(name("a"), A, b"", length=60_000)))
    assert is_refused(packet(*hub()) + bytes(2000))


def test_takes_as_many_hubs_as_a_node_can_try():
    records = []
    for number in range(1, 13):
        instance = bytes([1, 96 + number]) + b"\xc0\x0c"
        owner = name(SERVICE) if number == 1 else b"\xc0\x0c"
        records += [
            record(owner, PTR, instance),
            record(instance, SRV, srv("h")),
            record(instance, TXT, texts("node_port=%d" % number)),
        ]
    records.append(record(name("h"), A, bytes((10, 0, 0, 1))))
    assert hubs_in(packet(*records), 7, SOURCE) == [(SOURCE, port) for port in range(1, 9)]
    assert hubs_in(packet(*records, *records[:3]), 7, SOURCE)[1:2] == [(SOURCE, 2)]


def test_texts_that_lie_about_their_length_give_no_port():
    records = hub()
    records[2] = record(name("hub-1." + SERVICE), 16, b"\xffnode_port=8266")
    assert hubs_in(packet(*records), 7, SOURCE) == [(SOURCE, 8266)]
    records[2] = record(name("hub-1." + SERVICE), 16, texts("a" * 200, "b=node_port=1"))
    assert hubs_in(packet(*records), 7, SOURCE) == []


def test_every_cut_and_every_changed_byte_is_an_answer_or_refused():
    whole = packet(*hub(), record(b"\xc0\x0c", 33, srv("x.local")))
    for end in range(len(whole)):
        is_refused(whole[:end])
    for at in range(len(whole)):
        for value in (0, 1, 0x3F, 0x40, 0xC0, 0xFF):
            is_refused(whole[:at] + bytes([value]) + whole[at + 1 :])


def test_noise_behind_a_sound_head_is_an_answer_or_refused():
    seed = 1
    for _ in range(400):
        noise = bytearray(60)
        for at in range(60):
            seed = (seed * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
            noise[at] = seed >> 16 & 0xFF
        is_refused(packet(bytes(noise), count=4, questions=noise[0] & 1))


def test_reads_the_address_of_a_socket_in_either_form():
    assert host_of(("10.0.0.1", 5353)) == "10.0.0.1"
    assert host_of(b"\x02\x00\x14\xe9\x7f\x00\x00\x01" + bytes(8)) == "127.0.0.1"
