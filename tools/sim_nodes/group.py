"""Several simulated nodes of one site: flashed with this tree's firmware, switched on, ended together."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared_schema.digest import node_key
from tools.firmware import release
from tools.sim_nodes.plans import kind_of, plan_of
from tools.sim_nodes.process import NodeProcess, node_file

GENERATION = 1
VERSION = "0.1.0"
INSTALLS_AT_ONCE = 4

Say = Callable[[str, str], None]


class SimulatedNodes:
    """Nodes while the context lasts. hubs: addresses, "host:port". say: takes device key and line.

    nodes: by device key, in order.
    """

    def __init__(
        self,
        device_keys: Sequence[str],
        folder: Path,
        site_key: bytes,
        hubs: Sequence[str],
        say: Say,
        *,
        interval_s: int = 1,
    ) -> None:
        self._folder = folder
        self._site_key = site_key
        self._hubs = tuple(hubs)
        self._interval_s = interval_s
        self.nodes = {key: NodeProcess(key, folder, _said_by(say, key)) for key in device_keys}

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        files = await asyncio.to_thread(lambda: release.bare_board(release.build(VERSION, 1)))
        gate = asyncio.Semaphore(INSTALLS_AT_ONCE)

        async def set_up(number: int, node: NodeProcess) -> None:
            async with gate:
                await node.install(files, self._file(number, node.device_key))

        async with asyncio.TaskGroup() as tasks:
            for number, node in enumerate(self.nodes.values()):
                tasks.create_task(set_up(number, node))
        for node in self.nodes.values():
            await node.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes.values():
            await node.power_off()

    def _file(self, number: int, device_key: str) -> bytes:
        plan: dict[str, Any] = plan_of(kind_of(number), self._interval_s)
        key = node_key(self._site_key, device_key, GENERATION)
        return node_file(device_key, GENERATION, key, self._hubs, plan)


def _said_by(say: Say, device_key: str) -> Callable[[str], None]:
    return lambda line: say(device_key, line)
