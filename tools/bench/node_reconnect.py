"""node-reconnect: a hub is killed and started again; how soon 200 nodes bring readings, and how they come."""

import asyncio
import gc
import tempfile
import time
from pathlib import Path
from statistics import median

from hub.errors import OperatorNeeded
from tools.bench.harness import Outcome, Row, at_most
from tools.bench.node_crowd import give_addresses, live, make_node
from tools.bench.node_hub import NodeHub

NODES, ROUNDS = 200, 3
AWAY_S = 5.0
SETTLE_S = 8.0
PATIENCE_S = 60.0
HERD_MS = 100


def run(scale: float = 1.0) -> Outcome:
    """Measure."""
    return asyncio.run(_measured(max(2, round(NODES * scale))))


class _Marks:
    """When each node dialled, and when the hub had stored something of it first."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin a round."""
        self.dials_s: list[float] = []
        self.stored_s: dict[int, float] = {}

    def dialled(self) -> None:
        """Note a dial."""
        self.dials_s.append(time.monotonic())

    def stored(self, number: int) -> None:
        """Note the first rows of a node."""
        self.stored_s.setdefault(number, time.monotonic())

    def herd(self, since_s: float) -> int:
        """Return how many dials there were in the busiest HERD_MS since then."""
        dials = sorted(at_s for at_s in self.dials_s if at_s >= since_s)
        return max((sum(at <= other < at + HERD_MS / 1000 for other in dials) for at in dials), default=0)


async def _measured(count: int) -> Outcome:
    marks = _Marks()
    give_addresses(marks.dialled)
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        hub = NodeHub(folder)
        tasks = [_alive(folder / "nodes", number, hub, marks) for number in range(count)]
        gc.freeze()  # a node collects before it dials: cheap on a board, not with two hundred in one process
        try:
            await hub.start()
            await _until_all(marks, count)
            rounds = [await _round(hub, marks, count) for _ in range(ROUNDS)]
        finally:
            await _end(tasks)
            await hub.kill()
    return Outcome("node-reconnect", _rows(rounds, count))


def _alive(folder: Path, number: int, hub: NodeHub, marks: _Marks) -> asyncio.Task[None]:
    node = make_node(folder, number, hub.site_key, hub.port)
    node.has_stored = lambda: marks.stored(number)
    return asyncio.create_task(live(node, number))


async def _round(hub: NodeHub, marks: _Marks, count: int) -> tuple[list[float], int]:
    """Return how long each node took from the hub's being up to its first stored row, and the herd."""
    await asyncio.sleep(SETTLE_S)
    await hub.kill()
    await asyncio.sleep(AWAY_S)
    marks.clear()
    up_s = await hub.start()
    await _until_all(marks, count)
    return [at_s - up_s for at_s in marks.stored_s.values()], marks.herd(up_s)


async def _until_all(marks: _Marks, count: int) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while len(marks.stored_s) < count:
        if time.monotonic() > give_up_s:
            raise OperatorNeeded(f"only {len(marks.stored_s)} of {count} nodes brought readings")
        await asyncio.sleep(0.05)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _rows(rounds: list[tuple[list[float], int]], count: int) -> list[Row]:
    medians = median(median(times) for times, _ in rounds)
    slowest = median(max(times) for times, _ in rounds)
    herd = max(herd for _, herd in rounds)
    name = f"{count} nodes"
    return [
        at_most(f"{name}: hub up to first reading stored, median", medians, "s", 3.0),
        Row(f"{name}: hub up to the last node's, median of rounds", slowest, "s"),
        at_most(f"{name}: dials in the busiest {HERD_MS} ms", 100 * herd / count, "% of nodes", 25.0),
    ]
