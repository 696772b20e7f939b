"""penstock sim as a person or a demo starts it: a process with a pipe on either side."""

import argparse
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from hub.errors import ConfigError
from tools.command import sim
from tools.sim import demo_site
from tools.sim.frames import is_sound, sealed

START = "import argparse, sys; from tools.command import sim; p = argparse.ArgumentParser();\
 sim.register(p.add_subparsers()); a = p.parse_args(); sys.exit(a.run(a))"


@pytest.fixture
def start():
    started = []

    def begin(*arguments):
        command = [sys.executable, "-c", START, "sim", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, env=dict(os.environ), text=True, **pipes)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_says_where_it_is_answers_obeys_and_ends_with_its_input(start, tmp_path):
    link = tmp_path / "by-id"
    process = start("bus", "--demo", "--link", str(link), "--unpaced", "--tcp", "0")
    hello = json.loads(process.stdout.readline())
    assert hello["port"] == str(link)
    assert str(link.readlink()) == hello["device"]
    assert (hello["baud"], hello["parity"], hello["stop_bits"]) == (19_200, "even", 1)
    assert [one["address"] for one in hello["slaves"]] == list(range(1, 9))
    assert hello["tcp_port"] > 0
    with serial.Serial(hello["port"], 19_200, timeout=5) as wire:
        wire.write(sealed(struct.pack(">BBHH", 3, 3, 0, 6)))
        assert is_sound(wire.read(17))
    assert tell(process, "dead 3 on")["done"] == "dead 3 on"
    assert tell(process, "stats")["slaves"]["3"]["replies"] == 1
    assert "error" in tell(process, "nonsense")
    output, errors = process.communicate(timeout=10)
    assert (output, errors, process.returncode) == ("", "", 0)
    assert not link.is_symlink()


def test_says_that_two_slaves_of_one_address_garble_each_other(start):
    process = start("bus", "--slave", "a=keller-level@3", "--slave", "b=keller-level@3")
    process.stdout.readline()
    _, errors = process.communicate(timeout=10)
    assert errors == "a and b have address 3: they will garble each other's replies\n"


@pytest.mark.parametrize("ending", ["quit", "SIGTERM"])
def test_ends_when_told(start, ending):
    process = start("bus", "--slave", "tank=keller-level@3:tank-south", "--baud", "9600", "--parity", "none")
    hello = json.loads(process.stdout.readline())
    assert (hello["baud"], hello["parity"]) == (9600, "none")
    assert hello["slaves"] == [{"name": "tank", "address": 3, "profile": "keller-level"}]
    if ending == "quit":
        process.stdin.write("quit\n")
        process.stdin.flush()
    else:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert process.stderr.read() == ""
    assert not Path(hello["port"]).is_symlink()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "nobody on the bus"),
        (["--slave", "tank"], "NAME=PROFILE@ADDRESS"),
        (["--slave", "tank=no-such@3"], "no profile called"),
        (["--slave", "a=keller-level@3", "--slave", "b=keller-level@300"], "1 to 247"),
        (["--slave", "a=keller-level@3:moon"], "no place 'moon'"),
        (["--demo", "--speed-up", "-1"], "--speed-up"),
        (["--demo", "--baud", "0"], "--baud"),
        (["--demo", "--tcp", "70000"], "--tcp"),
    ],
)
def test_wrong_usage_is_a_configuration_error(arguments, reason):
    with pytest.raises(ConfigError, match=reason):
        run("bus", *arguments)


def test_lists_profiles_and_places(capsys):
    assert run("profiles") == 0
    output = capsys.readouterr().out
    assert "keller-level" in output
    assert "tank-north" in output


def test_help_shows_how(capsys):
    with pytest.raises(SystemExit):
        run("bus", "--help")
    output = capsys.readouterr().out
    assert "penstock sim bus --demo" in output
    assert "pull" in output


def run(*arguments):
    parser = argparse.ArgumentParser(prog="penstock")
    sim.register(parser.add_subparsers())
    parsed = parser.parse_args(["sim", *arguments])
    return parsed.run(parsed)


def test_the_demo_fits_its_line():
    busy_s = 0.0
    for one, item in zip(demo_site.build(), demo_site.TRANSMITTERS, strict=True):
        for point in one.profile.points:
            count = point.block[1] if point.block else point.count
            busy_s += demo_site.LINE.transaction_s(8, 5 + 2 * count, one.turnaround_s) / item.interval_s
    assert busy_s < 0.8, "even with a request for every point"
