"""A hub's node link over a real outbox, for tests: short intervals, and a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from hub.live import LiveReadings
from hub.nodes.commands_io import CommandsFile
from hub.nodes.registry import Registry
from hub.nodes.registry_io import RegistryFile
from hub.nodes.release_io import UPDATE_FOLDER, ReleaseFolders
from hub.nodes.rollout_io import RolloutFiles
from hub.nodes.service import NodesService
from hub.nodes.settings import NodeSettings
from hub.nodes.system_io import NodeSystem
from tests.fakes.event_list import EventList
from tests.hub.nodes.node import DEADLINE_S, SITE_KEY, START_MS
from tests.hub.outbox.site import HUB, Cloud, send_all, site_at


class Link:
    """nodes: the service under test. cloud: what arrived, by identity."""

    def __init__(self, folder: Path, nodes: NodesService, outbox_site: Any, events: EventList) -> None:
        self.folder = folder
        self.nodes = nodes
        self.outbox = outbox_site.outbox
        self.clock = outbox_site.clock
        self.events = events
        self.cloud = Cloud()

    @property
    def port(self) -> int:
        return self.nodes.port

    async def upload(self) -> Cloud:
        """Send everything that waits to the cloud."""
        await send_all(self.outbox, self.cloud)
        return self.cloud

    async def uploaded(self, kind: str, rows: int) -> list[tuple[Any, ...]]:
        """Return the rows of a kind once there are so many in the cloud."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = [row for row in (await self.upload()).rows.values() if row[0] == kind]
                if len(found) >= rows:
                    return found
                await asyncio.sleep(0.01)


@asynccontextmanager
async def link_at(folder: Path, *, site_key: bytes = SITE_KEY, **changes: Any) -> AsyncIterator[Link]:
    """Serve nodes from folder; changes: of NodeSettings. Time is that of the nodes' rows."""
    settings = NodeSettings(**{"hub_key": HUB, "listen": "127.0.0.1", "port": 0, **changes})
    events = EventList()
    async with site_at(folder / "outbox.db") as outbox_site:
        outbox_site.clock.offset_ms = START_MS + 3_600_000 - round(outbox_site.clock.monotonic_s() * 1000)
        nodes = NodesService(
            settings, site_key, RegistryFile(folder), LiveReadings(outbox_site.outbox),
            clock=outbox_site.clock, events=events, system=NodeSystem(),
            rollout=RolloutFiles(folder), releases=ReleaseFolders(folder / UPDATE_FOLDER),
            commands=CommandsFile(folder),
        )  # fmt: skip
        serving = asyncio.create_task(nodes.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                await nodes.listening.wait()
            yield Link(folder, nodes, outbox_site, events)
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


def approve(folder: Path, *keys: str) -> None:
    """Approve nodes in the file, as the command line does."""

    def change(registry: Registry) -> Registry:
        for key in keys:
            registry = registry.approved(key)
        return registry

    folder.mkdir(exist_ok=True)
    RegistryFile(folder).edit(change)
