"""Commands reach a node once, whoever comes and goes meanwhile; a CPython node on a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.nodes import command_service
from hub.nodes.commands import CommandEntry, CommandList
from hub.nodes.commands_io import COMMANDS_FILE, CommandsFile
from shared_schema import frames
from shared_schema.messages import Command, Result, ResultState, decode_command, encode_result
from tests.hub.nodes.node import DEADLINE_S, Node, Wire, dial
from tests.hub.nodes.site import link_at

NUMBER = 5


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_service, "LOOK_S", 0.02)


def give(folder: Path, number: int = NUMBER, wait_s: int = 60, age_s: int = 0) -> None:
    """Give a command, as the command line does."""
    now_ms = round(time.time() * 1000) - age_s * 1000
    entry = CommandEntry("tank-1", "identify", "{}", wait_s, now_ms + 1000 * wait_s)
    CommandsFile(folder).edit(lambda before: before.with_new(number, entry, now_ms))


def state(folder: Path, number: int = NUMBER) -> str:
    entry = CommandsFile(folder).load().given[number]
    return f"{entry.state} {entry.text}".strip()


async def until_state(folder: Path, wanted: str, number: int = NUMBER) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while state(folder, number) != wanted:  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.01)


async def commanded(wire: Wire) -> Command:
    return decode_command(await wire.hear(frames.COMMAND))


async def answer(wire: Wire, result: int = ResultState.EXECUTED, number: int = NUMBER) -> None:
    await wire.say(frames.RESULT, encode_result(Result(number, result, "so")))


@asynccontextmanager
async def greeted(port: int) -> AsyncIterator[Wire]:
    async with dial(Node("tank-1"), port) as wire:
        await wire.greet()
        yield wire


async def heard_commands(wire: Wire) -> int:
    """Return how many commands came until now."""
    await wire.say(frames.PING)
    await wire.hear(frames.PONG)
    return [type_id for type_id, _ in wire.inbox].count(frames.COMMAND)


async def test_a_node_that_is_there_gets_it_at_once_and_its_answer_is_kept(tmp_path: Path) -> None:
    async with link_at(tmp_path) as link, greeted(link.port) as wire:
        give(tmp_path)
        command = await commanded(wire)
        assert (command.command_id, command.name, command.arguments) == (NUMBER, "identify", "{}")
        assert 50 < command.expires_in_s <= 60
        await until_state(tmp_path, "sent")
        await answer(wire)
        await until_state(tmp_path, "executed so")
        async with greeted(link.port) as again:
            assert await heard_commands(again) == 0


async def test_a_node_that_is_away_gets_it_when_it_dials(tmp_path: Path) -> None:
    give(tmp_path)
    async with link_at(tmp_path) as link:
        async with greeted(link.port) as wire:
            await commanded(wire)
            await answer(wire, ResultState.FAILED)
        await until_state(tmp_path, "failed so")


async def test_is_sent_under_the_same_id_until_there_is_an_end(tmp_path: Path) -> None:
    give(tmp_path)
    async with link_at(tmp_path) as link:
        for result in (ResultState.RECEIVED, ResultState.EXECUTED):
            async with greeted(link.port) as wire:
                assert (await commanded(wire)).command_id == NUMBER
                await answer(wire, result)
                assert await heard_commands(wire) == 0
        await until_state(tmp_path, "executed so")


async def test_a_hub_that_comes_back_sends_it_again_and_never_after_its_end(tmp_path: Path) -> None:
    give(tmp_path)
    async with link_at(tmp_path) as link, greeted(link.port) as wire:
        await commanded(wire)
        await until_state(tmp_path, "sent")
    async with link_at(tmp_path) as link, greeted(link.port) as wire:
        assert (await commanded(wire)).command_id == NUMBER
        await answer(wire)
        await until_state(tmp_path, "executed so")
    async with link_at(tmp_path) as link, greeted(link.port) as wire:
        give(tmp_path, 6)
        assert (await commanded(wire)).command_id == 6
        assert await heard_commands(wire) == 0


async def test_expires_and_says_whether_a_node_may_have_it(tmp_path: Path) -> None:
    async with link_at(tmp_path) as link:
        give(tmp_path)
        async with asyncio.timeout(DEADLINE_S):
            while not link.nodes._commands.of("tank-1").to_send(link.clock.monotonic_s()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        link.clock.advance(61)
        await until_state(
            tmp_path, "expired it was sent and not answered in time; it may have been carried out"
        )
        give(tmp_path, 6, age_s=61)
        await until_state(tmp_path, "expired the node did not dial in time", 6)
        async with greeted(link.port) as wire:
            assert await heard_commands(wire) == 0


async def test_a_restart_does_not_forget_that_it_was_sent(tmp_path: Path) -> None:
    give(tmp_path, wait_s=1, age_s=2)
    CommandsFile(tmp_path).edit(lambda before: before.sent(frozenset({NUMBER})))
    async with link_at(tmp_path):
        await until_state(
            tmp_path, "expired it was sent and not answered in time; it may have been carried out"
        )


async def test_a_command_that_was_taken_back_is_not_sent(tmp_path: Path) -> None:
    give(tmp_path)
    give(tmp_path, 6)
    async with link_at(tmp_path) as link:
        async with greeted(link.port) as wire:
            assert {(await commanded(wire)).command_id, (await commanded(wire)).command_id} == {NUMBER, 6}
        CommandsFile(tmp_path).edit(lambda before: CommandList({6: before.given[6]}))
        async with asyncio.timeout(DEADLINE_S):
            while link.nodes._commands.of("tank-1").sent != {6}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with greeted(link.port) as wire:
            assert (await commanded(wire)).command_id == 6
            assert await heard_commands(wire) == 0


async def test_a_spoilt_file_is_said_and_what_was_heard_meanwhile_is_kept(tmp_path: Path) -> None:
    give(tmp_path)
    async with link_at(tmp_path) as link, greeted(link.port) as wire:
        await commanded(wire)
        await until_state(tmp_path, "sent")
        content = (tmp_path / COMMANDS_FILE).read_bytes()
        (tmp_path / COMMANDS_FILE).write_bytes(b"{")
        await answer(wire)
        async with asyncio.timeout(DEADLINE_S):
            while "node_commands_file" not in link.events.codes():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        (tmp_path / COMMANDS_FILE).write_bytes(content)
        await until_state(tmp_path, "executed so")
        async with asyncio.timeout(DEADLINE_S):
            while link.events.open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
