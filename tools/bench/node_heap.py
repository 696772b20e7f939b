"""node-heap: how little memory the firmware runs in, with three drivers, while its hub comes and goes.

Measured in the Unix port, whose words have 8 bytes: on a board all but bytecode and buffers takes half.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from shared_schema.digest import node_key
from tools.bench.harness import Outcome, Row, at_most
from tools.bench.node_hub import NodeHub
from tools.firmware import release
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess, node_file

KEY = "node"
KIND = "tank"  # ultrasound, thermometer, dissolved solids
LEAST_KB, MOST_KB, STEP_KB = 96, 384, 4
MINUTE_S = 60.0
TRIAL_S = 20.0
ROWS = 2
LOOK_S = 0.2


def run(scale: float = 1.0) -> Outcome:
    """Measure."""
    return asyncio.run(_measured(MINUTE_S * min(1.0, scale)))


async def _measured(minute_s: float) -> Outcome:
    made = release.build("1.0.0", 1)
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        hub = NodeHub(Path(name))
        await hub.start()
        try:
            trials = _Trials(hub, Path(name), release.bare_board(made))
            heap_kb = await _smallest(trials)
            while not await trials.lives(heap_kb, minute_s):
                heap_kb += STEP_KB
        finally:
            await hub.kill()
    return Outcome(
        "node-heap",
        [
            at_most("smallest heap that lives a minute, 8-byte words", heap_kb, "KB", 96),
            Row("of it in use after a collection", trials.used_bytes / 1024, "KB"),
            Row("of that the simulated board, not the firmware", trials.own_bytes / 1024, "KB"),
            Row(
                "compiled modules, all drivers and boards",
                sum(len(f.content) for f in made.files) / 1024,
                "KB",
            ),
        ],
    )


async def _smallest(trials: "_Trials") -> int:
    """Return the smallest heap, to a step, in which a node comes up and finds its hub again."""
    low, high = LEAST_KB // STEP_KB, MOST_KB // STEP_KB
    while low < high:
        middle = (low + high) // 2
        if await trials.lives(middle * STEP_KB, 0):
            high = middle
        else:
            low = middle + 1
    return high * STEP_KB


class _Trials:
    """Tries heaps, each with a flash of its own.

    used_bytes, own_bytes: as NodeProcess.memory says, of the last trial that went well.
    """

    def __init__(self, hub: NodeHub, folder: Path, files: dict[str, bytes]) -> None:
        self._hub = hub
        self._folder = folder
        self._files = files
        self._number = 0
        self.used_bytes = self.own_bytes = 0

    async def lives(self, heap_kb: int, for_s: float) -> bool:
        """Whether a node with so much heap measures, loses its hub and finds it again, for so long."""
        self._number += 1
        key = f"{KEY}-{self._number}"
        node = NodeProcess(key, self._folder, lambda _line: None, heap=f"{heap_kb}k")
        hub = self._hub
        secret = node_key(hub.site_key, key, 1)
        await node.install(self._files, node_file(key, 1, secret, (f"127.0.0.1:{hub.port}",), plan_of(KIND)))
        await node.power_on()
        try:
            return await self._survives(node, for_s)
        finally:
            await node.power_off()

    async def _survives(self, node: NodeProcess, for_s: float) -> bool:
        end_s = time.monotonic() + for_s
        stored = 0
        while True:
            if not await self._brings(node, stored + ROWS):
                return False
            await self._hub.kill()
            await self._hub.start()
            if not await self._brings(node, stored + 2 * ROWS):
                return False
            stored = await self._hub.stored_seq(node.device_key)
            if time.monotonic() >= end_s:
                self.used_bytes, _, self.own_bytes = await node.memory()
                return node.restarts == 0

    async def _brings(self, node: NodeProcess, seq: int) -> bool:
        give_up_s = time.monotonic() + TRIAL_S
        while time.monotonic() < give_up_s and not node.restarts:
            if await self._hub.stored_seq(node.device_key) >= seq:
                return True
            await asyncio.sleep(LOOK_S)
        return False
