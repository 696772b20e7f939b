"""The Modbus commands of the command line, on a simulated bus."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import ConfigError, TryAgain
from tools.command import modbus
from tools.sim.bus import SimulatedBus
from tools.sim.slave import SimulatedSlave


def run(*words: str) -> int:
    """Run a command line."""
    parser = argparse.ArgumentParser()
    modbus.register(parser.add_subparsers())
    arguments = parser.parse_args(["modbus", *words])
    return int(arguments.run(arguments))


@pytest.fixture
def bus() -> Iterator[SimulatedBus]:
    contents = {0: 0x3F9D, 1: 0x70A4, 40: 9}
    slaves = [SimulatedSlave("a", 3, holding=contents), SimulatedSlave("b", 5, holes=[("holding", 0, 9)])]
    with SimulatedBus(slaves, 38_400) as running:
        yield running


def test_scan_finds_slaves_and_the_baud_rate(bus: SimulatedBus, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan", bus.port, "--addresses", "2-6", "--baud", "9600", "--baud", "38400") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" · ")[:2] for line in lines] == [
        ["slave   3", "38400 baud, even parity"],
        ["slave   5", "38400 baud, even parity"],
    ]


def test_scan_that_finds_nobody_fails(bus: SimulatedBus, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan", bus.port, "--addresses", "9", "--baud", "38400", "--parity", "none") == 1
    assert "nobody answered" in capsys.readouterr().err


def test_read_prints_typed_values(bus: SimulatedBus, capsys: pytest.CaptureFixture[str]) -> None:
    line = (bus.port, "--baud", "38400", "--unit", "3", "--address", "0")
    assert run("read", *line, "--type", "float32") == 0
    assert capsys.readouterr().out.split() == ["0", "1.2300000190734863"]
    assert run("read", *line, "--decode") == 0
    said = capsys.readouterr().out
    assert "float32  ABCD 1.23" in said
    assert "3F9D 70A4" in said


def test_write_is_read_back_and_wants_to_be_meant(
    bus: SimulatedBus, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (bus.port, "--baud", "38400", "--unit", "3", "--address", "40")
    with pytest.raises(ConfigError, match="--yes"):
        run("write", *line, "55")
    assert run("write", *line, "--yes", "55") == 0
    assert "holds [55] from 40" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="whole number"):
        run("write", *line, "--yes", "5.5")


def test_a_slave_that_is_not_there_is_no_traceback(bus: SimulatedBus) -> None:
    line = ("--unit", "77", "--address", "0", "--timeout-ms", "50")
    with pytest.raises(TryAgain, match="no reply"):
        run("read", bus.port, "--baud", "38400", *line)
    with pytest.raises(TryAgain, match="No such file"):
        run("read", "/dev/ttyNobody", *line)
    with pytest.raises(ConfigError, match="permutation"):
        run("read", bus.port, *line, "--order", "AAAA")


def test_plan_of_profiles_says_requests_and_utilisation(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("plan", "--profile", "eastron-sdm630", "--baud", "9600", "--interval", "2", "--count", "3") == 0
    )
    said = capsys.readouterr().out
    assert "input 42..71  input 342..343" in said
    assert "18 points in 6 requests" in said


def test_plan_that_cannot_work_names_the_points_and_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--profile", "eastron-sdm630", "--baud", "2400", "--interval", "1", "--count", "8")
    assert run("plan", *words) == 3
    said = capsys.readouterr().out
    assert "cannot keep its period: eastron-sdm630-1 (voltage_v" in said


def test_plan_of_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(
        '[hub]\ndevice_key = "hub"\ndata_dir = "var"\n'
        '[[bus]]\nname = "field"\nport = "/dev/ttyUSB0"\nbaud = 9600\n'
        '[[transmitter]]\ndevice_key = "tank-1"\nbus = "field"\naddress = 3\nprofile = "keller-level"\n'
        "interval_s = 1.0\n"
    )
    assert run("plan", str(config)) == 0
    assert "holding 2..9" in capsys.readouterr().out


def test_profiles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("profiles") == 0
    assert "nivus-flow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scan", "x", "--baud", "0"), "'0' is not a whole number within 1-"),
        (("scan", "x", "--addresses", "5-1"), "'5-1' is not within 1-247"),
        (("scan", "x", "--addresses", "x"), "'x' is not within 1-247"),
        (("read", "x", "--unit", "1", "--address", "4x"), "'4x' is not a whole number within 0-65535"),
        (("plan", "--profile", "keller-level", "--interval", "nan"), "'nan' is not within 0.05-86400"),
        (("plan", "--profile", "keller-level", "--think-ms", "-5"), "'-5' is not a whole number within 0-"),
    ],
)
def test_impossible_arguments_are_named(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*words)
    assert said in capsys.readouterr().err


def test_what_no_line_can_carry_is_refused_before_it_is_opened() -> None:
    at = ("--unit", "3", "--address")
    with pytest.raises(ConfigError, match="port is not within 1-65535"):
        run("read", "127.0.0.1:99999", *at, "0")
    with pytest.raises(ConfigError, match="beyond 65535"):
        run("read", "x", *at, "65535", "--type", "float64")
    with pytest.raises(ConfigError, match="is not a number, nor on or off"):
        run("write", "x", *at, "0", "--yes", "abc")
    with pytest.raises(ConfigError, match="nan is not a whole number, and i32 holds nothing else"):
        run("write", "x", *at, "0", "--yes", "--type", "i32", "nan")
    with pytest.raises(ConfigError, match="'€' has no place in a register"):
        run("write", "x", *at, "0", "--yes", "--type", "string", "5 €")
    with pytest.raises(ConfigError, match="a coil is 0 or 1"):
        run("write", "x", *at, "0", "--yes", "--table", "coil", "5")


def test_a_plan_of_more_than_the_bus_carries_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--profile", "eastron-sdm630", "--baud", "9600", "--interval", "1", "--count", "8")
    assert run("plan", *words) == 3
    said = capsys.readouterr().out
    assert "more than it can carry" in said
    assert "100 %  " not in said
