"""Brings what nodes sent to the outbox, many nodes' rows at once, and says when it is on disk.

Rule 1: on_stored follows the outbox's commit of the rows and of the losses in front of them.
Rule 2: rows are handed over in the order they came, and settled in that order: what the outbox has of a
    stream is therefore whole up to its last row, also after a crash (see stored).
Rule 3: rows that wait for the disk are bounded; beyond ROWS_MOST nobody reads from nodes until there is room
    again.
Rule 4: a disk that takes nothing delays and loses nothing: the nodes still have what was not acknowledged.
"""

import asyncio
from collections.abc import Awaitable, Callable

from hub.errors import TryAgain
from hub.nodes.session import Harvest
from hub.nodes.stored import Numbers
from hub.ports import NumberedSink, Reading
from shared_schema.enums import Lane

GATHER_S = 0.02  # rows of all nodes within this time are handed over at once; a commit holds many of them
ROWS_MOST = 20_000  # less than half of what the outbox keeps in memory
RETRY_S = 1.0

OnStored = Callable[[str, Numbers], None]


class Store:
    """harvest: where whoever reads from a node puts what it brought; gathered() says so."""

    def __init__(self, outbox: NumberedSink, on_stored: OnStored) -> None:
        self._outbox = outbox
        self._on_stored = on_stored
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._handed: asyncio.Queue[tuple[Harvest, list[Awaitable[None]]]] = asyncio.Queue()
        self._rows = 0
        self.harvest = Harvest()

    def gathered(self) -> None:
        """Note that something may have been put into the harvest."""
        if self.harvest.size:
            self._some.set()
            if self._rows + self.harvest.size >= ROWS_MOST:
                self._room.clear()

    async def room(self) -> None:
        """Return when rows may be read."""
        while not self._room.is_set():  # those woken first may have filled it again
            await self._room.wait()

    async def run(self) -> None:
        """Bring in for ever. What is not settled when this ends is not acknowledged, and comes again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_over_for_ever())
            tasks.create_task(self._settle_for_ever())

    async def _hand_over_for_ever(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            self._some.clear()
            harvest, self.harvest = self.harvest, Harvest()
            self._rows += harvest.size
            # The ledger first, so that no row is on disk before the loss in front of it.
            lanes = ((harvest.alarms, Lane.ALARM), (harvest.rows, Lane.LIVE))
            promises = [await self._handed_over(rows, lane) for rows, lane in lanes if rows]
            self._handed.put_nowait((harvest, promises))

    async def _handed_over(self, rows: list[Reading], lane: int) -> Awaitable[None]:
        while True:
            try:
                return await self._outbox.hand_over(rows, lane)
            except TryAgain:  # the outbox has told the operator
                await asyncio.sleep(RETRY_S)

    async def _settle_for_ever(self) -> None:
        while True:
            harvest, promises = await self._handed.get()
            for promise in promises:
                await promise
            self._rows -= harvest.size
            if self._rows + self.harvest.size < ROWS_MOST:
                self._room.set()
            for device_key, (numbers, accepted) in harvest.accepted.items():
                numbers.settle(accepted)
                self._on_stored(device_key, numbers)
