"""Makes the timetable's faults happen: on the bus, to a node, the way to the cloud, the hub and its disk."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.app import OUTBOX_FILE
from tools.demo.faults import Fault
from tools.demo.processes import BusProcess, HubProcess
from tools.sim.demo_site import TRANSMITTERS
from tools.sim.fault_proxy import FaultProxy
from tools.sim_nodes.process import NodeProcess

_PAGE_BYTES = 4096
_NO_LIMIT = -1
_VICTIM = TRANSMITTERS[2].address  # the one that is dead, slow or noisy

# fault → what the proxy is told
_ON_THE_WAY: dict[str, tuple[str, dict[str, Any]]] = {
    "cut": ("cut", {}),
    "black-hole": ("black-hole", {}),
    "cloud-500": ("status", {"status": 500}),
    "cloud-429": ("status", {"status": 429, "retry_after": "2"}),
    "cloud-401": ("status", {"status": 401}),
    "lost-answer": ("answer-lost", {}),
    "half-answer": ("half", {}),
}
# fault → what the simulated bus is told at its start and at its end
_ON_THE_BUS = {
    "dead-slave": (f"dead {_VICTIM} on", f"dead {_VICTIM} off"),
    "slow-slave": (f"slow {_VICTIM} 120", f"slow {_VICTIM} 0"),
    "noise": (f"noise {_VICTIM} 0.3", f"noise {_VICTIM} 0"),
    "pull-cable": ("pull", "plug"),
}


class Stage:
    """Holds what can be broken. step() is told the time and does what is due."""

    def __init__(
        self,
        faults: Sequence[Fault],
        *,
        bus: BusProcess,
        proxy: FaultProxy,
        hub: HubProcess,
        second: HubProcess,
        node: NodeProcess,
        on_restart: Callable[[], None],
    ) -> None:
        self._waiting = list(faults)
        self._active: list[Fault] = []
        self._bus = bus
        self._proxy = proxy
        self._hub = hub
        self._second = second
        self._node = node
        self._outbox = hub.data_dir / OUTBOX_FILE
        self._on_restart = on_restart
        self._lock: sqlite3.Connection | None = None

    async def step(self, now_s: float) -> None:
        """Begin what is due and end what is over."""
        for fault in [fault for fault in self._active if fault.end_s is not None and fault.end_s <= now_s]:
            self._active.remove(fault)
            await self._end(fault)
        while self._waiting and self._waiting[0].start_s <= now_s:
            await self._begin(self._waiting.pop(0))

    async def clear(self) -> None:
        """End everything that still holds."""
        for fault in self._active:
            await self._end(fault)
        self._active.clear()
        self._waiting.clear()

    async def _begin(self, fault: Fault) -> None:
        if fault.end_s is None:
            await self._instants()[fault.name]()
            return
        self._active.append(fault)
        if fault.name in _ON_THE_WAY:
            name, options = _ON_THE_WAY[fault.name]
            self._proxy.fault(name, **options)
        elif fault.name in _ON_THE_BUS:
            await self._bus.obey(_ON_THE_BUS[fault.name][0])
        elif fault.name == "disk-full":
            self._hub.limit_file_size(1)
        elif fault.name == "node-wifi":
            self._node.say("air off")
        elif fault.name == "second-hub":
            await self._second.start()
            await self._hub.kill()  # with rows stored that it acknowledged to nobody: both hubs send them
        else:
            self._lock = await asyncio.to_thread(_locked, self._outbox)

    async def _end(self, fault: Fault) -> None:
        if fault.name in _ON_THE_WAY:
            self._proxy.clear(_ON_THE_WAY[fault.name][0])
        elif fault.name in _ON_THE_BUS:
            await self._bus.obey(_ON_THE_BUS[fault.name][1])
        elif fault.name == "disk-full":
            self._hub.limit_file_size(_NO_LIMIT)
        elif fault.name == "node-wifi":
            self._node.say("air on")
        elif fault.name == "second-hub":
            await self._come_back()
        elif self._lock is not None:
            self._lock.close()

    def _instants(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "kill-hub": self._kill,
            "corrupt-outbox": self._kill_and_corrupt,
            "kill-node": self._kill_node,
            "power-cut-node": self._cut_node,
        }

    async def _kill_node(self) -> None:
        await self._node.power_off()
        await self._node.power_on()

    async def _cut_node(self) -> None:
        await self._node.cut_power()
        await self._node.power_on()

    async def _kill(self) -> None:
        await self._hub.kill()
        await self._restart()

    async def _kill_and_corrupt(self) -> None:
        await self._hub.kill()
        await asyncio.to_thread(_overwrite_middle_page, self._outbox)
        await self._restart()

    async def _come_back(self) -> None:
        if self._hub.has_ended:  # it may have been killed and started meanwhile
            await self._restart()
        await self._second.stop()

    async def _restart(self) -> None:
        self._on_restart()
        await self._hub.start()
        # A disk that was full is still full for the new process.
        if any(fault.name == "disk-full" for fault in self._active):
            self._hub.limit_file_size(1)


def _locked(path: Path) -> sqlite3.Connection:
    """Return a connection that holds the file's write lock until it is closed."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    connection.execute("begin immediate")
    return connection


def _overwrite_middle_page(path: Path) -> None:
    """Damage the file as a dying card does: one page in the middle holds something else."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    pages = path.stat().st_size // _PAGE_BYTES
    with path.open("r+b") as file:
        file.seek(max(1, pages // 2) * _PAGE_BYTES)
        file.write(b"\xa5" * _PAGE_BYTES)
