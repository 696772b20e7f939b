"""Brings nodes the commands that people gave, and keeps what became of each.

Rule 1: a command waits in the file until its end is in the file. A hub that comes back sends it again, and
    the node answers an id it has seen with the old result.
Rule 2: what was sent is noted, so that nobody is told that a node which was sent a command never had it.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from hub.errors import OperatorNeeded
from hub.nodes.commands import OPEN, SENT, CommandEntry, CommandList, CommandStore
from hub.nodes.limits import System
from hub.nodes.link_service import Link
from hub.nodes.orders import AWAY, UNHEARD, Commands, Given
from hub.ports import Clock, EventSink
from shared_schema import frames
from shared_schema.messages import Result, ResultState, encode_command

log = logging.getLogger("penstock.nodes.command")

LOOK_S = 1.0


class CommandService:
    """The commands of a hub. links: the open sessions by device key, as they are at any moment."""

    def __init__(
        self,
        file: CommandStore,
        links: Mapping[str, Link],
        *,
        clock: Clock,
        system: System,
        events: EventSink,
    ) -> None:
        self._file = file
        self._links = links
        self._clock = clock
        self._system = system
        self._events = events
        self._mark: object = None
        self._list = CommandList()
        self._commands: dict[str, Commands] = {}
        self._ends: dict[int, Result] = {}
        self._is_ended = asyncio.Event()

    def of(self, device_key: str) -> Commands:
        """Return what waits for a node; its session sends it at the beginning."""
        return self._commands.setdefault(device_key, Commands())

    def hear(self, link: Link) -> None:
        """Take what a node said of its commands."""
        if link.talk is not None and link.talk.results:
            results, link.talk.results = link.talk.results, []
            self._end(results)

    async def run(self) -> None:
        """Look, every LOOK_S and when a command has ended, until cancelled."""
        while True:
            try:
                await self._look()
                self._events.clear_event("node_commands_file")
            except OperatorNeeded as error:
                self._events.raise_event("error", "node_commands_file", str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._is_ended.wait()
            self._is_ended.clear()

    async def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        for commands in self._commands.values():
            self._end(commands.expired(now_s))
        await self._save()
        mark = self._file.mark()
        if mark != self._mark:
            self._follow(await asyncio.to_thread(self._file.load))
            self._mark = mark

    async def _save(self) -> None:
        """Write what happened since."""
        sent = frozenset[int]().union(*[commands.sent for commands in self._commands.values()])
        ends = dict(self._ends)

        def change(before: CommandList) -> CommandList:
            return before.sent(sent).ended(ends)

        if change(self._list) != self._list:
            await asyncio.to_thread(self._file.edit, change)
        for number in ends:
            del self._ends[number]

    def _follow(self, found: CommandList) -> None:
        """Begin with what is new in the file, and forget what is no longer in it."""
        self._list = found
        waiting = {number: entry for number, entry in found.given.items() if entry.state in OPEN}
        for commands in self._commands.values():
            commands.keep(waiting.keys())
        for number, entry in waiting.items():
            if number not in self._ends:
                self._give(number, entry)

    def _give(self, number: int, entry: CommandEntry) -> None:
        now_s, is_sent = self._clock.monotonic_s(), entry.state == SENT
        left_s = entry.left_s(self._system.wall_ms())
        if left_s <= 0:
            self._end([Result(number, ResultState.EXPIRED, UNHEARD if is_sent else AWAY)])
            return
        commands, link = self.of(entry.device_key), self._links.get(entry.device_key)
        given = Given(number, entry.name, entry.arguments, now_s + left_s, is_sent)
        if commands.give(given) and link is not None:
            link.say(frames.COMMAND, encode_command(commands.send(number, now_s)))

    def _end(self, results: list[Result]) -> None:
        for result in results:
            self._ends[result.command_id] = result
            self._is_ended.set()
            log.info("command %d: %s %s", result.command_id, ResultState.NAMES[result.state], result.text)
