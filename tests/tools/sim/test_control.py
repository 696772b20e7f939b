"""What a person types to break things, and what comes of it."""

import pytest

from tools.sim.bus import SimulatedBus
from tools.sim.control import HELP, Control, Quit
from tools.sim.slave import SimulatedSlave


@pytest.fixture
def bus():
    with SimulatedBus([SimulatedSlave("a", 3), SimulatedSlave("b", 4)], is_paced=False) as bus:
        yield bus


@pytest.fixture
def control(bus):
    return Control(bus)


@pytest.mark.parametrize(
    ("line", "fault", "value"),
    [
        ("dead 3 on", "dead", True),
        ("slow 3 250", "slow_ms", 250.0),
        ("noise 3 0.05", "noise", 0.05),
        ("truncate 3 4", "truncate", 4),
        ("collide 3 on", "collide", True),
        ("freeze 3 on", "freeze", True),
    ],
)
def test_sets_a_fault_on_one_slave_and_takes_it_back(bus, control, line, fault, value):
    one, other = bus.wire.slaves
    untouched = getattr(one.faults, fault)
    assert control.obey(line)["done"] == line
    assert getattr(one.faults, fault) == value
    assert getattr(other.faults, fault) == untouched
    control.obey(" ".join([*line.split()[:2], "off" if value is True else "0"]))
    assert getattr(one.faults, fault) == untouched


def test_all_means_every_slave(bus, control):
    control.obey("dead all on")
    assert [one.faults.dead for one in bus.wire.slaves] == [True, True]


def test_digs_and_fills_holes(bus, control):
    one = bus.wire.slaves[0]
    control.obey("hole 3 holding 10 3")
    assert one.registers.holes["holding"] == {10, 11, 12}
    control.obey("shift 3 on")
    assert one.registers.shifts
    control.obey("fill 3")
    assert one.registers.holes["holding"] == set()


def test_pull_and_plug_say_where_the_port_is_now(bus, control):
    before = bus.device
    control.obey("pull")
    assert control.obey("plug")["device"] == bus.device != before


def test_stats_are_what_was_counted(bus, control):
    bus.counters.slave(3).note_request(1.0)
    stats = control.obey("stats")
    assert stats["slaves"]["3"]["requests"] == 1
    assert stats["slaves"]["4"]["requests"] == 0
    assert stats["elapsed_s"] >= 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("explode", "no command 'explode'"),
        ("dead 3", "takes 2 words"),
        ("dead 3 maybe", "neither on nor off"),
        ("dead 9 on", "no slave at 9"),
        ("dead x on", "not a number from 1 to 247"),
        ("noise 3 2", "not a number from 0 to 1"),
        ("noise 3 nan", "not a number"),
        ("slow 3 1e999", "not a number"),
        ("hole 3 attic 1 2", "no table 'attic'"),
        ("hole 3 holding -1 2", "not a number"),
        ("pull now", "takes 0 words"),
    ],
)
def test_what_it_cannot_do_is_a_sentence(control, line, reason):
    assert reason in control.obey(line)["error"]


def test_an_empty_line_is_nothing_and_quit_ends(control):
    assert control.obey("  ") == {}
    with pytest.raises(Quit):
        control.obey("quit")


def test_help_names_every_command(control):
    assert control.obey("help")["help"] == HELP.splitlines()
    words = {line.split()[0] for line in HELP.splitlines()[:-1] if not line.startswith(" ")}
    for word in words - {"quit"}:
        assert "no command" not in control.obey(word).get("error", "")
