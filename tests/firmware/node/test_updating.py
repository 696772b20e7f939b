"""The update as the rest of the node knows it: what a session is told, and what a node has to end with."""

import asyncio
from pathlib import Path

import pytest

from firmware.node import slots, trial
from firmware.node.clock import Ticks
from firmware.node.connection import Connection
from firmware.node.updating import Updating
from shared_schema.update_messages import Update, UpdateState
from tools.firmware.release import ReleaseFile, assemble

KEY = bytes(range(32))


def updating_at(folder: Path) -> Updating:
    root = f"{folder}/"
    (folder / "slots" / "a").mkdir(parents=True)
    pointer = slots.Pointer()
    pointer.version, pointer.counter = "1.4.0", 14
    trial.begin(pointer, "1.5.0", 15)
    slots.store(root, pointer)
    return Updating(root, KEY, "rp2")


def test_a_trial_that_ended_well_is_told_in_the_same_session(tmp_path: Path) -> None:
    updating = updating_at(tmp_path)
    assert updating.report.state == UpdateState.TRIAL
    assert trial.Trial(f"{tmp_path}/", 5).acknowledge(5, trial.SETTLE_S)
    updating.look_again()
    assert (updating.report.state, updating.report.version) == (UpdateState.CONFIRMED, "1.5.0")


def test_a_refusal_is_not_told_in_the_next_session_where_it_would_answer_another_offer(
    tmp_path: Path,
) -> None:
    updating = updating_at(tmp_path)
    made = assemble("1.6.0", 16, [ReleaseFile("a.pack", b"x")])
    updating.offer(Update(made.manifest, bytes(32)))
    assert updating.report.state == UpdateState.REFUSED
    updating.close()
    assert updating.report.state == UpdateState.TRIAL


class _Session:
    """Makes one message of whatever comes."""

    def greeting(self) -> bytes:
        return b"hello"

    def to_send(self) -> bytes:
        return b""

    def receive(self, data: bytes) -> list[tuple[int, bytes]]:
        return [(16, bytes(data))]


class _Conversation:
    """Has no memory for what it hears."""

    def hear(self, type_id: int, payload: bytes, now_ms: int) -> None:
        raise MemoryError

    def verdict(self, now_ms: int) -> None:
        return None

    def say(self, now_ms: int) -> None:
        return None

    def wait_ms(self, now_ms: int) -> int:
        return 1000


async def test_what_does_not_fit_the_memory_ends_the_node_and_not_just_the_session() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"offer")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(Ticks(lambda: 0), asyncio.Event())
        with pytest.raises(MemoryError):
            await connection.run("127.0.0.1", port, _Session(), lambda _session, _now_ms: _Conversation())
