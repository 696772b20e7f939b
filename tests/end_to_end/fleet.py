"""A real hub process, three nodes of the real MicroPython, and releases for them; trials take seconds.

How trials are shortened: releases and boot part are built from a copy of the firmware in which SETTLE_S and
TRIAL_S of firmware/node/trial.py are smaller. Nothing else differs from what boards run.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hub.nodes.rollout_record import ENDED, PAUSED, STOPPED
from hub.status_io import read_status
from shared_schema.digest import node_key
from tests.hub.nodes.hub_process import HubProcess
from tests.hub.nodes.node import SITE_KEY
from tests.hub.nodes.site import approve
from tools.command.__main__ import main
from tools.command.node_update_view import live_update
from tools.firmware import release
from tools.sim_nodes.plans import SENSORS, kind_of, plan_of
from tools.sim_nodes.process import NodeProcess, node_file

KEYS = ("node-1", "node-2", "node-3")
KINDS_OF_NODES = frozenset(SENSORS)
OLD, NEW = "1.0.0", "1.1.0"
OLD_COUNTER, NEW_COUNTER = 10, 11
SETTLE_S, TRIAL_S = 1, 12
DEADLINE_S = 90.0
CRASHES = "raise ValueError('a release that crashes at import')\n\n\ndef run(start):\n    pass\n"
SAYS_NOTHING = """
def run(start):
    import time
    while True:
        start.feed()
        time.sleep_ms(200)
"""


@cache
def sources(folder: Path, main_py: str | None = None) -> Path:
    """Copy the firmware, with short trials and perhaps another main.py."""
    for package in release.PACKAGES:
        shutil.copytree(
            release.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    trial = folder / "firmware" / "node" / "trial.py"
    text = trial.read_text()
    for was, now in (("SETTLE_S = 120", f"SETTLE_S = {SETTLE_S}"), ("TRIAL_S = 600", f"TRIAL_S = {TRIAL_S}")):
        assert was in text
        text = text.replace(was, now)
    trial.write_text(text)
    if main_py is not None:
        (folder / "firmware" / "main.py").write_text(main_py)
    return folder


def write_release(folder: Path, made: release.Release) -> Path:
    """Write a release as penstock node update takes it."""
    folder.mkdir()
    for file in made.files:
        (folder / file.path).write_bytes(file.content)
    (folder / "manifest.json").write_bytes(made.manifest)
    return folder


class Fleet:
    """hub: a process; nodes: by device key."""

    def __init__(self, hub: HubProcess, nodes: dict[str, NodeProcess]) -> None:
        self.hub = hub
        self.nodes = nodes

    async def command(self, *words: str) -> int:
        """Run penstock node update; return its exit code."""
        site = str(self.hub.folder / "site.toml")
        return await asyncio.to_thread(main, ["node", "update", *words, "--site", site])

    async def order(self, release_folder: Path, *words: str) -> asyncio.Task[int]:
        """Order an update; return what ends with it, once the hub knows of it."""
        task = asyncio.create_task(self.command(str(release_folder), "--wait-s", "1", *words))
        await self.until(lambda: bool(task.done() or self.update()))
        return task

    def update(self) -> dict[str, Any] | None:
        """Return what the hub says of the update."""
        return live_update(self.hub.folder)

    def states(self) -> dict[str, str]:
        """Return the states of the nodes in the update."""
        return {node["device_key"]: node["state"] for node in (self.update() or {"nodes": []})["nodes"]}

    def percent(self, key: str) -> int:
        """Return how much a node has of the release."""
        nodes = (self.update() or {"nodes": []})["nodes"]
        return next((node["percent"] for node in nodes if node["device_key"] == key), 0)

    def versions(self) -> dict[str, str]:
        """Return what the connected nodes run."""
        connected = read_status(self.hub.folder)["nodes"]["connected"]
        return {node["device_key"]: node["firmware_version"] for node in connected}

    def events(self) -> dict[str, str]:
        """Return the messages of what is wrong now, by code."""
        return {event["code"]: event["message"] for event in read_status(self.hub.folder)["events"]}

    async def until(self, condition: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
        """Return once it is so."""
        ends_s = time.monotonic() + timeout_s
        while not await asyncio.to_thread(condition):
            assert time.monotonic() < ends_s, (self.update(), self.events())
            await asyncio.sleep(0.1)

    async def until_over(self) -> dict[str, Any]:
        """Return the update's state once nothing more happens by itself."""
        await self.until(lambda: (self.update() or {"status": ""})["status"] in {*ENDED, STOPPED, PAUSED})
        state = self.update()
        assert state is not None
        return state

    def streams(self) -> dict[tuple[str, int], list[int]]:
        """Return the numbers of the nodes' rows on the hub's disk, by device key and epoch."""
        found: dict[tuple[str, int], list[int]] = {}
        for batch in self.hub.batches():
            for key, epoch, seq in zip(batch.device_keys, batch.epochs, batch.seqs, strict=True):
                if key in self.nodes and batch.kind in KINDS_OF_NODES:
                    found.setdefault((key, epoch), []).append(seq)
        return found

    async def assert_gapless(self) -> None:
        """Every row that a node numbered is in the outbox once, up to its newest; and they still come."""
        before = self.streams()
        assert len(before) == len(self.nodes), "a node began to count anew"
        await self.until(lambda: all(len(seqs) > len(before[of]) for of, seqs in self.streams().items()))
        for of, seqs in self.streams().items():
            assert sorted(seqs) == list(range(1, len(seqs) + 1)), of


@asynccontextmanager
async def fleet_at(folder: Path, files: dict[str, bytes]) -> AsyncIterator[Fleet]:
    """Run a hub and its nodes, which run OLD and are connected."""
    hub = HubProcess(folder / "hub", "site-hub")
    approve(hub.folder, *KEYS)
    said: list[str] = []
    nodes = {key: NodeProcess(key, folder, _noting(said, key)) for key in KEYS}
    fleet = Fleet(hub, nodes)
    try:
        await hub.start()
        for number, node in enumerate(nodes.values()):
            key = node.device_key
            file = node_file(
                key, 1, node_key(SITE_KEY, key, 1), (f"127.0.0.1:{hub.port}",), plan_of(kind_of(number))
            )
            await node.install(files, file)
            await node.power_on()
        await fleet.until(lambda: fleet.versions() == dict.fromkeys(KEYS, OLD))
        yield fleet
    finally:
        print(*said, sep="\n")  # shown when a test fails
        for node in nodes.values():
            await node.power_off()
        hub.kill()


def _noting(said: list[str], key: str) -> Callable[[str], None]:
    return lambda line: said.append(f"{key}: {line}")
