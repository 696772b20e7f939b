"""From the cable to the first authenticated word to a hub that runs; and how a node is shut out."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.flash.conftest import Boards
from tools.command.__main__ import main
from tools.command.node_list import live_nodes

ROOT = Path(__file__).resolve().parents[3]
START_S = 30.0
DIALS = """
import json
import os
import select
import socket
import time

from firmware.node import slots
from shared_schema import frames
from shared_schema.greeting import Hello, encode_hello
from shared_schema.link import NodeSession
from shared_schema.reports import Health, encode_health


def run(start):
    with open("/node.json") as file:
        node = json.load(file)
    host, port = node["hubs"][0].split(":")
    while True:
        start.feed()
        try:
            talk(node, host, int(port), start)
        except (OSError, ValueError) as error:
            print("no hub:", repr(error))
        time.sleep_ms(1000)  # who is refused twenty times within a minute is not let in for the rest of it


def talk(node, host, port, start):
    version = slots.load("/").version
    hello = Hello(os.urandom(16), node["device_key"], node["generation"], 7, 1, 1, version, "simulated", 0)
    session = NodeSession(bytes.fromhex(node["key"]), encode_hello(hello))
    line = socket.socket()
    try:
        line.connect(socket.getaddrinfo(host, port)[0][-1])
        line.send(session.greeting())
        while not session.is_open:
            hear(line, session, start)
        health = Health(0, -61, 100000, 0, 0, 41, 200000, 262144, 0, 10, 0)
        line.send(session.seal(frames.HEALTH, encode_health(health)))
        while True:
            hear(line, session, start)
    finally:
        line.close()


def hear(line, session, start):
    start.feed()
    poll = select.poll()
    poll.register(line, select.POLLIN)
    if not poll.poll(500):
        return
    data = line.recv(1024)
    if not data:
        raise OSError("the hub left")
    session.receive(data)
    line.send(session.to_send())
"""


@contextmanager
def running_hub(config: Path) -> Iterator[Path]:
    """Run a hub that listens for nodes; yields its data folder."""
    folder = config.parent / "var"
    command = [sys.executable, "-m", "tools.command", "hub", "run", str(config)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE) as process:
        try:
            wait(lambda: folder.is_dir() and live_nodes(folder) is not None)
            yield folder
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=START_S)


def wait(condition: Callable[[], bool], timeout_s: float = START_S) -> float:
    """Return after how many seconds the condition held."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() < began_s + timeout_s
        time.sleep(0.02)
    return time.monotonic() - began_s


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
    return number


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(
        '[hub]\ndevice_key = "hub"\ndata_dir = "var"\n[clock]\ntrust = "system"\n'
        f'[nodes]\nlisten = "127.0.0.1"\nport = {port}\n'
    )
    return path


def test_a_flashed_node_is_waited_for_listed_and_shut_out(
    boards: Boards,
    firmware: Callable[..., Path],
    config: Path,
    port: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = firmware("dials")
    (sources / "firmware" / "main.py").write_text(DIALS)
    board = boards()
    site = ["--site", str(config)]
    new = ["node", "new", "tank-1", *site, "--hub", f"127.0.0.1:{port}"]
    flash = ["node", "flash", *site, "--firmware", str(sources), "--port", board.port]
    with running_hub(config) as folder:
        assert main(new) == 0
        assert main([*flash, "tank-1"]) == 0
        assert "tank-1: talks to the hub" in capsys.readouterr().out

        def is_listed_whole() -> bool:
            # Its radio is in the status, who it is in the registry: written within a second of each other.
            assert main(["node", "list", *site]) == 0
            (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("tank-1")]
            return all(
                word in row for word in ("approved", "online", "0.1.0+", "-61", "41 rows", "127.0.0.1")
            )

        wait(is_listed_whole)
        assert main(["node", "revoke", "tank-1", *site]) == 0
        assert wait(lambda: "tank-1" not in (live_nodes(folder) or {})) < 2.0
        assert main([*flash, "--wait", "2.5"]) == 3
        assert "tank-1 has not reported to the hub" in capsys.readouterr().err

        assert main([*new, "--renew"]) == 0
        assert main([*flash, "tank-1"]) == 0
        assert "tank-1: talks to the hub" in capsys.readouterr().out
