"""Listening to a board and talking to it."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from tests.tools.flash.conftest import Boards
from tools.command.__main__ import main
from tools.flash.mpremote_io import Board

ROOT = Path(__file__).resolve().parents[3]
TALKER = b"""
import time
print("started")
count = 0
while True:
    count += 1
    print("level", count)
    time.sleep_ms(20)
"""


def seen(condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


def test_logs_follows_a_board_without_a_word_to_it(
    boards: Boards, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    cable = Board(board.port)
    cable.write("/main.py", TALKER)
    cable.reset()
    board.wait_for("level 3")
    codes: list[int] = []
    heard: list[str] = []
    listener = Thread(target=lambda: codes.append(main(["node", "logs", "--port", board.port])))
    listener.start()
    assert seen(lambda: heard.append(capsys.readouterr().out) or "level" in "".join(heard))  # type: ignore[func-returns-value]
    assert board.said.count("started\n") == 1
    assert "KeyboardInterrupt" not in board.said
    board.pull()
    listener.join(10)
    assert codes == [1]
    assert "the board went away" in capsys.readouterr().err


def test_logs_finds_a_node_that_was_flashed_from_here(
    boards: Boards, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    (site / "nodes" / "ports.json").write_text(
        f'{{"tank-1": {{"port": "{board.port}", "serial_number": ""}}}}'
    )
    board.pull()
    assert main(["node", "logs", "tank-1", "--site", str(site)]) == 1
    assert f"{board.port}: there is no such port" in capsys.readouterr().err


def test_logs_of_a_node_flashed_elsewhere_asks_for_the_port(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["node", "logs", "tank-1", "--site", str(site)]) == 1
    assert "tank-1: was not flashed from this machine (name the --port)" in capsys.readouterr().err


def test_shell_gives_the_prompt(boards: Boards) -> None:
    board = boards()
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "tools.command", "node", "shell", "--port", board.port]
    person = subprocess.Popen(command, cwd=ROOT, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    try:
        heard = bytearray()

        def hears(text: bytes) -> bool:
            if select.select([outer], [], [], 0)[0]:
                heard.extend(os.read(outer, 4096))
            return text in heard

        assert seen(lambda: hears(b"Connected to MicroPython"))
        os.write(outer, b"print(6 * 7)\r")
        assert seen(lambda: hears(b"42"))
        os.write(outer, b"\x1d")
        assert person.wait(20) == 0
    finally:
        person.kill()
        person.wait()
        os.close(outer)


def test_shell_says_what_is_wrong_with_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "shell", "--port", "/dev/ttyNOT"]) == 1
    assert "/dev/ttyNOT: there is no such port" in capsys.readouterr().err
