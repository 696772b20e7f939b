"""Hubs of one site on this machine: the real node link and outbox, on the air of the loopback."""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from hub.mesh.own_addresses import OwnAddress
from hub.mesh.service import MeshService
from hub.mesh.settings import MeshSettings
from hub.mesh.zeroconf_io import ZeroconfAir
from tests.hub.nodes.site import Link, link_at

DEADLINE_S = 30.0
AT_THE_DOOR = {"node_stranger", "node_door"}
SITE_KEY = secrets.token_bytes(32)  # other tests on this machine are on the same air
LOOPBACK = OwnAddress("lo", "127.0.0.1", "255.0.0.0", False)


def new_key(name: str) -> str:
    """Return a device key that no other test on this machine announces."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


class MeshHub:
    """A hub. own: the addresses of its machine, to be changed by tests."""

    def __init__(self, link: Link, own: list[OwnAddress], mesh: MeshService) -> None:
        self.link = link
        self.own = own
        self.mesh = mesh

    def neighbours(self) -> list[str]:
        return [each.device_key for each in self.mesh.state().neighbours]

    def troubles(self) -> list[str]:
        """Return the codes of what was raised; nodes of other tests may find this hub and be refused."""
        return [code for code in self.link.events.codes() if code not in AT_THE_DOOR]


async def until(condition: Callable[[], Any], timeout_s: float = DEADLINE_S) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  the condition is about other processes
            await asyncio.sleep(0.02)


async def keep_time(link: Link) -> None:
    """Move a hub's clock as time does."""
    before_s = time.monotonic()
    while True:
        await asyncio.sleep(0.05)
        now_s = time.monotonic()
        link.clock.advance(now_s - before_s)
        before_s = now_s


@asynccontextmanager
async def mesh_hub(
    folder: Path, device_key: str, *, site_key: bytes = SITE_KEY, port: int = 0, **changes: Any
) -> AsyncIterator[MeshHub]:
    """Run a hub; changes: of MeshSettings. Ends orderly, with its goodbye."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  a folder of the test's
    async with link_at(folder, site_key=site_key, hub_key=device_key, port=port) as link:
        values = {"interface": "lo", "node_port": link.port, "return_after_s": 2, **changes}
        own = [LOOPBACK]
        settings = MeshSettings(device_key=device_key, site_key=site_key, **values)
        mesh = MeshService(
            settings, ZeroconfAir(), lambda: own, link.nodes, clock=link.clock, events=link.events
        )
        task = asyncio.create_task(mesh.run())
        try:
            yield MeshHub(link, own, mesh)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
