"""The hub's state on its local socket, its watch over progress, and what it tells systemd."""

import asyncio
import socket
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from hub.ports import OutboxState
from hub.progress import Progress
from hub.status_io import read_status, serve_status
from hub.systemd_io import Notifier


async def test_answers_from_a_folder_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()

    async with serve_status(folder, lambda: {"outbox": OutboxState(rows=3), "pair": (1, 2)}):
        state = await asyncio.to_thread(read_status, folder)

    assert state["outbox"]["rows"] == 3
    assert state["pair"] == [1, 2]


async def test_takes_over_the_socket_of_a_hub_that_was_killed(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(tmp_path / "hub.sock"))
    dead.close()

    async with serve_status(tmp_path, lambda: {"is_alive": True}):
        assert (await asyncio.to_thread(read_status, tmp_path))["is_alive"]


async def test_leaves_the_socket_to_a_hub_that_lives(tmp_path: Path) -> None:
    async with serve_status(tmp_path, lambda: {"is_first": True}):
        with pytest.raises(OperatorNeeded, match="another hub runs"):
            async with serve_status(tmp_path, lambda: {"is_first": False}):
                pass
        assert (await asyncio.to_thread(read_status, tmp_path))["is_first"]


def test_says_that_no_hub_answers(tmp_path: Path) -> None:
    with pytest.raises(OperatorNeeded, match="no hub answers"):
        read_status(tmp_path)


def test_a_counter_that_stands_still_is_stuck_only_while_it_is_due() -> None:
    progress = Progress("polls", limit_s=10)

    assert not progress.is_stuck(1, now_s=0)
    assert not progress.is_stuck(1, now_s=10)
    assert progress.is_stuck(1, now_s=10.5)
    assert not progress.is_stuck(1, now_s=11, is_due=False)
    assert not progress.is_stuck(1, now_s=20)
    assert not progress.is_stuck(2, now_s=30)


def test_tells_the_service_manager(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"})

        notifier.ready()
        notifier.alive()

        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1"
    assert notifier.watchdog_s == 30.0


def test_is_silent_without_a_service_manager() -> None:
    notifier = Notifier({})

    notifier.ready()

    assert notifier.watchdog_s is None
