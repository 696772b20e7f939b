"""Boards become nodes: real mpremote, real MicroPython, its LittleFS."""

import os
import pty
import stat
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
import serial

from tests.tools.flash.conftest import Boards
from tools.command.__main__ import main
from tools.flash.mpremote_io import Board
from tools.sim_board.board import SimulatedBoard

Firmware = Callable[..., Path]


def flash(site: Path, firmware: Path, *words: str) -> int:
    return main(["node", "flash", "--site", str(site), "--firmware", str(firmware), *words])


@contextmanager
def prompt(board: SimulatedBoard) -> Iterator[Board]:
    cable = Board(board.port)
    try:
        yield cable
    finally:
        cable.close()


def test_two_boards_at_once_become_the_nodes_that_were_named(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = boards("one"), boards("two")
    words = ["--port", f"{one.port}=tank-1", "--port", f"{two.port}=tank-2"]
    assert flash(site, firmware("first"), *words) == 0
    assert "tank-1: 0.1.0+" in capsys.readouterr().out
    for board, key in ((one, "tank-1"), (two, "tank-2")):
        board.wait_for("application first runs in slot a")
        with prompt(board) as cable:
            assert cable.read("/node.json") == (site / "nodes" / f"{key}.json").read_bytes()


def test_a_second_flash_keeps_identity_and_readings_and_changes_slots(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    with prompt(board) as cable:
        cable.run("import os\nos.mkdir('/ring')")
        cable.write("/ring/00000001.seg", b"not sent yet")
        identity = cable.read("/node.json")
    assert flash(site, firmware("second"), "--port", board.port) == 0
    assert "kept node.json and ring" in capsys.readouterr().out
    board.wait_for("application second runs in slot b")
    with prompt(board) as cable:
        assert cable.read("/ring/00000001.seg") == b"not sent yet"
        assert cable.read("/node.json") == identity


def test_a_wiped_board_forgets_both(boards: Boards, firmware: Firmware, site: Path) -> None:
    board = boards()
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    with prompt(board) as cable:
        cable.run("import os\nos.mkdir('/ring')")
        cable.write("/ring/00000001.seg", b"not sent yet")
    assert flash(site, firmware("second"), "tank-2", "--wipe", "--port", board.port) == 0
    with prompt(board) as cable:
        assert cable.read("/ring/00000001.seg") is None
        assert b"tank-2" in (cable.read("/node.json") or b"")


@pytest.mark.parametrize(
    "heard_bytes", [*(pytest.param(count, marks=pytest.mark.soak) for count in (1_500, 10_000)), 20_000]
)
def test_a_cable_pulled_half_way_leaves_the_old_application(
    heard_bytes: int,
    boards: Boards,
    firmware: Firmware,
    site: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board = boards()
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    board.wait_for("application first runs")
    board.pull_after(heard_bytes)
    assert flash(site, firmware("second"), "--port", board.port) == 1
    assert "plug it in again and repeat" in capsys.readouterr().err
    board.pull()
    board.plug()
    board.wait_for("application first runs in slot a")
    assert flash(site, firmware("third"), "--port", board.port) == 0
    board.wait_for("application third runs in slot b")


def test_a_new_board_unplugged_half_way_is_flashed_the_next_time(
    boards: Boards, firmware: Firmware, site: Path
) -> None:
    board = boards()
    sources = firmware("first")
    board.pull_after(30_000)
    assert flash(site, sources, "tank-1", "--port", board.port) == 1
    board.pull()
    board.plug()
    assert flash(site, sources, "tank-1", "--port", board.port) == 0
    board.wait_for("application first runs")


def test_the_watchdog_of_the_old_application_does_not_end_the_flashing(
    boards: Boards, firmware: Firmware, site: Path
) -> None:
    board = boards(watchdog_s=1.5)
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    board.wait_for("application first runs")
    board.line_bytes_per_s = 20_000.0  # so that it takes longer than the watchdog waits
    assert flash(site, firmware("second"), "--port", board.port) == 0
    board.wait_for("application second runs")


def test_a_node_that_restarts_again_and_again_is_flashed(
    boards: Boards, firmware: Firmware, site: Path
) -> None:
    board = boards(watchdog_s=2.5)
    hangs = firmware("hangs")
    main_path = hangs / "firmware" / "main.py"
    main_path.write_text(main_path.read_text().replace("start.feed()", "pass"))
    assert flash(site, hangs, "tank-1", "--port", board.port) == 0
    board.wait_for("application hangs runs")
    assert flash(site, firmware("second"), "--port", board.port) == 0
    board.wait_for("application second runs")


def test_strangers_files_are_left_alone_and_named(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    with prompt(board) as cable:
        cable.write("/main.py", b"print('blink')\n")
        cable.write("/notes.txt", b"mine")
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    said = capsys.readouterr().out
    assert "left alone what is not ours: notes.txt" in said
    assert "the main.py that was there is now main.py.before-penstock" in said
    with prompt(board) as cable:
        assert cable.read("/notes.txt") == b"mine"
        assert cable.read("/main.py.before-penstock") == b"print('blink')\n"


def test_a_full_board_is_refused_and_keeps_its_room(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards(blocks=16)
    assert flash(site, firmware("first", padding_bytes=60_000), "tank-1", "--port", board.port) == 1
    assert "flash is too full" in capsys.readouterr().err
    with prompt(board) as cable:
        assert cable.value("__import__('os').statvfs('/')[3]") >= 10


def test_flash_that_runs_full_while_it_is_written_is_reported(
    boards: Boards,
    firmware: Firmware,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.flash.layout.blocks_of", lambda _sizes: 0)
    board = boards(blocks=16)
    assert flash(site, firmware("first", padding_bytes=60_000), "tank-1", "--port", board.port) == 1
    assert "the board's flash is full" in capsys.readouterr().err
    with prompt(board) as cable:
        assert cable.value("__import__('os').statvfs('/')[3]") >= 10


def test_an_old_micropython_is_refused(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards(version="1.22.2")
    assert flash(site, firmware("first"), "--port", f"{board.port}=tank-1") == 1
    said = capsys.readouterr().err
    assert f"{board.port}: its MicroPython is 1.22.2; 1.25 is the oldest that will do" in said
    assert "https://micropython.org/download" in said


def test_one_bad_board_does_not_stop_the_others(boards: Boards, firmware: Firmware, site: Path) -> None:
    old, good = boards("old", version="1.22.2"), boards("good")
    words = ["--port", f"{old.port}=tank-1", "--port", f"{good.port}=tank-2"]
    assert flash(site, firmware("first"), *words) == 1
    good.wait_for("application first runs")


def test_a_port_that_is_not_there_is_named(
    firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(site, firmware("first"), "--port", "/dev/ttyNOT") == 1
    assert "/dev/ttyNOT: there is no such port" in capsys.readouterr().err


def test_a_busy_port_is_named(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    with serial.Serial(board.port, exclusive=True):
        assert flash(site, firmware("first"), "--port", f"{board.port}=tank-1") == 1
    assert f"{board.port}: another program uses the port" in capsys.readouterr().err


@pytest.mark.parametrize("talks", [False, True], ids=["silent", "talks without pause"])
def test_what_is_no_micropython_is_found_out_in_time(
    talks: bool,
    firmware: Firmware,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.flash.mpremote_io.PROMPT_S", 1.0)
    with gadget(talks=talks) as port:
        assert flash(site, firmware("first"), "--port", f"{port}=tank-1") == 1
        assert f"{port}: no MicroPython answers" in capsys.readouterr().err


@contextmanager
def gadget(*, talks: bool) -> Iterator[str]:
    """A GPS receiver, say: it talks and does not listen."""
    outer, inner = pty.openpty()
    tty.setraw(inner)
    os.set_blocking(outer, False)
    is_over = Event()

    def chatter() -> None:
        while talks and not is_over.wait(0.001):
            with suppress(BlockingIOError):  # while nobody reads
                os.write(outer, b"$GPGGA,115739.00,4158.8441367,N*75\r\n")

    thread = Thread(target=chatter)
    thread.start()
    try:
        yield os.ttyname(inner)
    finally:
        is_over.set()
        thread.join()  # before its number may be that of another file
        os.close(inner)
        os.close(outer)


def test_another_identity_needs_a_wipe(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    assert flash(site, firmware("second"), "--port", f"{board.port}=tank-2") == 1
    assert "it is tank-1 already" in capsys.readouterr().err
    board.wait_for("application first runs")


def test_keys_that_do_not_go_out_even_are_refused(
    boards: Boards, firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = boards("one"), boards("two")
    assert flash(site, firmware("first"), "tank-1", "--port", one.port, "--port", two.port) == 2
    assert "1 for 2 board(s) without identity" in capsys.readouterr().err


def test_new_settings_reach_a_node_that_keeps_its_key(boards: Boards, firmware: Firmware, site: Path) -> None:
    board = boards()
    sources = firmware("first")
    assert flash(site, sources, "tank-1", "--port", board.port) == 0
    words = ["node", "new", "tank-1", "--site", str(site), "--hub", "10.0.0.9"]
    assert main(words) == 0
    assert flash(site, sources, "tank-1", "--port", board.port) == 0
    with prompt(board) as cable:
        assert b"10.0.0.9" in (cable.read("/node.json") or b"")


def test_what_a_node_is_given_is_for_its_owner_alone(site: Path) -> None:
    for path in (site / "site.key", site / "nodes" / "tank-1.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((site / "nodes").stat().st_mode) == 0o700


def test_a_node_of_another_site_is_not_taken_for_ours(
    boards: Boards, firmware: Firmware, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = boards()
    sources = firmware("first")
    assert flash(site, sources, "tank-1", "--port", board.port) == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert main(["node", "new", "tank-1", "--site", str(elsewhere)]) == 0
    assert flash(elsewhere, sources, "--port", board.port) == 1
    assert "a key that is not of this site" in capsys.readouterr().err
    assert flash(elsewhere, sources, "--port", f"{board.port}=tank-1") == 0


def test_a_spoilt_identity_is_replaced_by_the_node_that_is_named(
    boards: Boards, firmware: Firmware, site: Path
) -> None:
    board = boards()
    with prompt(board) as cable:
        cable.write("/node.json", b'{"device_key"')
    assert flash(site, firmware("first"), "tank-1", "--port", board.port) == 0
    with prompt(board) as cable:
        assert cable.read("/node.json") == (site / "nodes" / "tank-1.json").read_bytes()


def test_sources_without_an_application_are_refused(
    firmware: Firmware, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = firmware("none")
    (sources / "firmware" / "main.py").unlink()
    assert flash(site, sources, "--port", "/dev/ttyNOT") == 1
    assert "there is no application to flash" in capsys.readouterr().err
