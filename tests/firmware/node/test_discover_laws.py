"""Whatever a packet holds, a node that searches goes on."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.node.discover import HUBS_MOST, BadAnswer, hubs_in
from tests.firmware.node.mdns_packets import PTR, SERVICE, SRV, TXT, A, hub, name, packet, record, srv

NAMES = st.one_of(
    st.sampled_from([name(SERVICE), name("hub." + SERVICE), name("x.local"), b"\xc0\x0c", b"\xc0\x20"]),
    st.binary(max_size=80),
)
DATA = st.one_of(NAMES, st.just(srv("x.local")), st.just(b"\x0enode_port=8266"), st.binary(max_size=40))
RECORDS = st.builds(record, NAMES, st.sampled_from([PTR, TXT, SRV, A]), DATA, st.none() | st.integers(0, 300))


def heard(data: bytes) -> list[tuple[str, int]]:
    try:
        return hubs_in(data, 7, "10.0.0.1")
    except BadAnswer:
        return []


def check(found: list[tuple[str, int]]) -> None:
    assert len(found) <= HUBS_MOST
    for host, port in found:
        parts = [int(part) for part in host.split(".")]
        assert len(parts) == 4
        assert 0 < parts[0] < 224
        assert 0 < port < 65_536


@given(st.binary(max_size=1600))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    check(heard(data))
    check(heard(b"\x00\x07\x84\x00" + data))


@given(st.lists(RECORDS, max_size=12), st.integers(0, 2), st.none() | st.integers(0, 70))
def test_records_of_any_kind_raise_nothing_else(
    records: list[bytes], questions: int, count: int | None
) -> None:
    check(heard(packet(*records, questions=questions, count=count)))


@given(st.data())
def test_a_damaged_answer_raises_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(packet(*hub(hosts=((10, 0, 0, 1), (10, 0, 0, 2)))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    check(heard(bytes(whole[: data.draw(st.integers(0, len(whole)))])))
