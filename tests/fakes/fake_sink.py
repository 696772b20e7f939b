"""A ReadingSink that keeps what it is given."""

import asyncio
from collections.abc import Sequence

from hub.ports import Reading


class FakeSink:
    """offered: rows for the group commit. appended: rows and lanes. While room is clear, offers wait."""

    def __init__(self) -> None:
        self.offered: list[Reading] = []
        self.appended: list[tuple[Reading, int]] = []
        self.room = asyncio.Event()
        self.room.set()
        self.arrived = asyncio.Event()

    async def offer(self, rows: Sequence[Reading]) -> None:
        await self.room.wait()
        self.offered += rows
        self.arrived.set()

    async def append(self, rows: Sequence[Reading], lane: int) -> None:
        self.appended += [(row, lane) for row in rows]
        self.arrived.set()
