"""The bus on a real pseudo-terminal and a real socket, asked by masters that are not ours."""

import struct
import time
from pathlib import Path

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from hub.errors import OperatorNeeded
from tools.sim import demo_site, profiles, slave
from tools.sim.bus import SimulatedBus
from tools.sim.frames import is_sound, sealed
from tools.sim.gauges import Gauge
from tools.sim.line import Line
from tools.sim.slave import SimulatedSlave

DEADLINE_S = 5.0
SHORT_S = 0.3  # long enough for a reply that comes at once, short enough to wait for one that never comes


def plain(address=3):
    return SimulatedSlave(
        f"slave-{address}",
        address,
        holding={index: 1000 + index for index in range(125)},
        inputs={0: 5, 1: 6},
        coils={0: 1, 3: 1},
        discretes={1: 1},
    )


def read(address, start=0, count=2):
    return sealed(struct.pack(">BBHH", address, 3, start, count))


@pytest.fixture
def bus():
    with SimulatedBus([plain(3), plain(4)], is_paced=False) as bus:
        yield bus


@pytest.fixture
def master(bus):
    with ModbusSerialClient(bus.port, baudrate=19_200, timeout=DEADLINE_S, retries=0) as client:
        yield client


@pytest.fixture
def wire(bus):
    with serial.Serial(bus.port, 19_200, timeout=DEADLINE_S) as wire:
        yield wire


def exchange(wire, request, length):
    wire.write(request)
    return wire.read(length)


def is_silent_after(wire, request):
    wire.timeout = SHORT_S
    heard = exchange(wire, request, 1)
    wire.timeout = DEADLINE_S
    return heard == b""


def eventually(question, deadline_s=DEADLINE_S):
    end_s = time.monotonic() + deadline_s
    while not (answer := question()):
        assert time.monotonic() < end_s, "it never came"
    return answer


def test_pymodbus_reads_every_table(master):
    assert master.read_holding_registers(0, count=125, device_id=3).registers == list(range(1000, 1125))
    assert master.read_input_registers(0, count=2, device_id=3).registers == [5, 6]
    assert master.read_coils(0, count=4, device_id=3).bits[:4] == [True, False, False, True]
    assert master.read_discrete_inputs(0, count=2, device_id=3).bits[:2] == [False, True]


def test_pymodbus_writes_and_reads_back(master):
    master.write_register(5, 77, device_id=3)
    master.write_registers(6, [8, 9], device_id=3)
    master.write_coil(1, True, device_id=3)
    master.write_coils(8, [True] * 9, device_id=3)
    assert master.read_holding_registers(5, count=3, device_id=3).registers == [77, 8, 9]
    assert master.read_coils(1, count=1, device_id=3).bits[0]
    assert all(master.read_coils(8, count=9, device_id=3).bits[:9])
    assert master.read_holding_registers(5, count=1, device_id=4).registers == [1005]


def test_pymodbus_sees_a_hole_as_exception_2(bus, master):
    bus.dig(3, "holding", 5, 1)
    assert master.read_holding_registers(4, count=2, device_id=3).exception_code == 2
    assert master.read_holding_registers(6, count=1, device_id=3).registers == [1006]
    bus.fault("fill", 3)
    assert master.read_holding_registers(4, count=2, device_id=3).registers == [1004, 1005]


def test_a_slave_that_shifts_gives_other_registers_without_an_error(bus, master):
    bus.dig(3, "holding", 5, 1)
    bus.fault("shift", 3)
    assert master.read_holding_registers(4, count=3, device_id=3).registers == [1004, 1006, 1007]


@pytest.mark.parametrize("item", demo_site.TRANSMITTERS, ids=lambda item: item.device_key)
def test_pymodbus_decodes_every_float_of_the_demo_as_the_site_is(item):
    one = slave.from_profile(item.device_key, item.profile, item.address, place=item.place)
    floats = [point for point in one.profile.points if point.type == "float32" and point.block is None]
    with (
        SimulatedBus([one], is_paced=False, speed_up=0) as bus,
        ModbusSerialClient(bus.port, baudrate=19_200, timeout=DEADLINE_S, retries=0) as master,
    ):
        gauge = Gauge(item.place, item.device_key)
        for point in floats:
            ask = master.read_input_registers if point.table == "input" else master.read_holding_registers
            words = ask(point.address, count=2, device_id=item.address).registers
            order = {"ABCD": "big", "": "big", "CDAB": "little"}[point.order]
            raw = master.convert_from_registers(words, master.DATATYPE.FLOAT32, word_order=order)
            assert raw * point.scale + point.offset == pytest.approx(gauge.value(bus.site, point.metric))
    assert bus.counters.slave(item.address).replies == len(floats)


@pytest.mark.parametrize(("baud", "parity"), [(19_200, "even"), (115_200, "none")])
def test_a_reply_never_comes_before_the_wire_could_have_carried_it(baud, parity):
    line, turnaround_s = Line(baud, parity, 1), 0.002
    one = SimulatedSlave("x", 3, turnaround_s=turnaround_s)
    least_s = line.frame_s(8 + 45) + line.gap_s + turnaround_s
    with (
        SimulatedBus([one], baud, parity) as bus,
        serial.Serial(bus.port, baud, parity=parity[0].upper(), timeout=DEADLINE_S) as wire,
    ):
        begin_s = time.monotonic()
        for _ in range(20):
            asked_s = time.monotonic()
            assert len(exchange(wire, read(3, count=20), 45)) == 45
            assert time.monotonic() - asked_s >= least_s
        assert time.monotonic() - begin_s >= 20 * (least_s + line.gap_s) - line.gap_s
    assert len(bus.counters.lateness_s) == 20
    assert min(bus.counters.lateness_s) >= 0
    assert bus.counters.busy_s == pytest.approx(20 * line.transaction_s(8, 45, turnaround_s))


def test_a_dead_slave_does_not_answer_and_its_neighbour_does(bus, wire):
    bus.fault("dead", 3)
    assert is_silent_after(wire, read(3))
    assert is_sound(exchange(wire, read(4), 9))
    bus.fault("dead", 3, 0)
    assert is_sound(exchange(wire, read(3), 9))
    assert bus.counters.replies == {3: 1, 4: 1}


def test_a_slow_slave_keeps_one_waiting(bus, wire):
    bus.fault("slow_ms", 3, 120)
    begin_s = time.monotonic()
    assert is_sound(exchange(wire, read(3), 9))
    assert time.monotonic() - begin_s >= 0.12


def test_noise_spoils_the_checksum(bus, wire):
    bus.fault("noise", 3, 1)
    frame = exchange(wire, read(3), 9)
    assert len(frame) == 9
    assert not is_sound(frame)


def test_a_truncated_reply_ends_early(bus, wire):
    bus.fault("truncate", 3, 5)
    assert exchange(wire, read(3), 5) == sealed(bytes((3, 3, 4, 3, 232, 3, 233)))[:5]
    assert is_silent_after(wire, b"")


def test_a_pulled_cable_takes_the_port_away_and_plugged_again_it_has_another_name(bus):
    old_wire, old_name = serial.Serial(bus.port, 19_200, timeout=SHORT_S), bus.device
    bus.pull()
    assert not Path(bus.port).is_symlink()
    with pytest.raises((OSError, serial.SerialException)):
        exchange(old_wire, read(3), 9)
    with pytest.raises(serial.SerialException):
        serial.Serial(bus.port, 19_200)
    bus.plug()
    assert bus.device != old_name
    assert str(Path(bus.port).readlink()) == bus.device
    with serial.Serial(bus.port, 19_200, timeout=DEADLINE_S) as wire:
        assert is_sound(exchange(wire, read(3), 9))
    old_wire.close()


def test_pulling_and_plugging_many_times_leaves_a_bus_that_answers():
    with SimulatedBus([plain(3)], is_paced=False, tcp_port=0) as bus:
        names = set()
        for _ in range(30):
            bus.pull()
            bus.pull()
            bus.plug()
            bus.plug()
            names.add(bus.device)
        with serial.Serial(bus.port, 19_200, timeout=DEADLINE_S) as wire:
            assert is_sound(exchange(wire, read(3), 9))
    assert len(names) > 1


def test_a_master_at_the_wrong_speed_is_not_understood(bus):
    with serial.Serial(bus.port, 9600, timeout=DEADLINE_S) as wire:
        assert is_silent_after(wire, read(3))
        wire.baudrate = 19_200
        assert is_sound(exchange(wire, read(3), 9))
    assert bus.counters.malformed == 1


def test_answers_rtu_over_tcp_beside_the_serial_port():
    with (
        SimulatedBus([plain(3)], is_paced=False, tcp_port=0) as bus,
        ModbusTcpClient("127.0.0.1", port=bus.tcp_port, framer=FramerType.RTU, timeout=DEADLINE_S) as client,
        serial.Serial(bus.port, 19_200, timeout=DEADLINE_S) as wire,
    ):
        assert client.read_holding_registers(0, count=2, device_id=3).registers == [1000, 1001]
        assert is_sound(exchange(wire, read(3), 9))
        client.close()
        assert client.connect()
        assert client.read_holding_registers(2, count=1, device_id=3).registers == [1002]


def test_a_taken_tcp_port_is_a_sentence_and_leaves_nothing_behind(tmp_path):
    link = tmp_path / "port"
    with (
        SimulatedBus([plain(3)], tcp_port=0) as first,
        pytest.raises(OperatorNeeded, match="another port"),
        SimulatedBus([plain(3)], tcp_port=first.tcp_port, link=link),
    ):
        pass
    assert not link.is_symlink()


def test_does_not_overwrite_a_file_where_its_link_should_be(tmp_path):
    path = tmp_path / "precious"
    path.write_text("mine")
    with pytest.raises(OperatorNeeded, match="already there"), SimulatedBus([plain(3)], link=path):
        pass
    assert path.read_text() == "mine"


def test_the_link_is_gone_when_the_bus_is():
    with SimulatedBus([plain(3)]) as bus:
        folder = Path(bus.port).parent
        assert Path(bus.port).exists()
    assert not folder.exists()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4))
def test_any_bytes_on_the_line_leave_a_slave_that_answers(shared, chunks):
    _, wire = shared
    for chunk in chunks:
        wire.write(chunk)
    eventually(lambda: is_sound(exchange(wire, read(3, count=7), 19)) or wire.reset_input_buffer())


@pytest.fixture(scope="module")
def shared():
    with (
        SimulatedBus([plain(3)], is_paced=False) as bus,
        serial.Serial(bus.port, 19_200, timeout=0.02) as wire,
    ):
        yield bus, wire


def test_every_profile_can_be_on_the_bus():
    names = profiles.names()
    slaves = [slave.from_profile(name, name, 10 + index) for index, name in enumerate(names)]
    with (
        SimulatedBus(slaves, is_paced=False) as bus,
        serial.Serial(bus.port, 19_200, timeout=DEADLINE_S) as wire,
    ):
        for one in slaves:
            point = one.profile.points[0]
            first, count = point.block or (point.address, point.count)
            function = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}[point.table]
            request = sealed(struct.pack(">BBHH", one.address, function, first, count))
            assert is_sound(exchange(wire, request, 5 + 2 * count)), one.name
