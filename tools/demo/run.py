"""The demo from start to verdict: the parts are started, faults happen, the cloud's database judges."""

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.app import OUTBOX_FILE
from hub.errors import OperatorNeeded
from hub.outbox.directory import Directory, decode
from hub.outbox.sqlite_io import load
from hub.outbox.squeeze import Zstandard
from shared_schema.metrics import KINDS
from tools.demo.faults import Fault, describe
from tools.demo.nodes import count_rows, fall_silent, free_port, nodes_of, share_site_key
from tools.demo.processes import BusProcess, HubProcess
from tools.demo.site import Way, register, write_config, write_second_config
from tools.demo.stage import Stage
from tools.demo.tally import CloudCount, Document, Tally, report
from tools.local_cloud.admin_io import CloudAdmin
from tools.local_cloud.local_cloud import LocalCloud
from tools.sim.fault_proxy import FaultProxy
from tools.sim_nodes.group import SimulatedNodes

STEP_S = 0.25
COUNT_EVERY_S = 2.0
DRAIN_S = 120
FIRST_SAMPLE_S = 60.0
TELEMETRY = tuple(kind.table for kind in KINDS if kind.is_telemetry)

Show = Callable[[float, str, Document | None, int], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Demo:
    """What a run is asked for. folder: where its files stay; None: they are thrown away."""

    seconds: float
    faults: Sequence[Fault]
    folder: Path | None = None


async def run_demo(demo: Demo, say: Say, show: Show) -> dict[str, Any]:
    """Run it and return the result document. show: called several times a second with what is to be seen.

    Raises PenstockError when a part does not start.
    """
    folder = demo.folder or Path(tempfile.mkdtemp(prefix="penstock-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        async with AsyncExitStack() as stack:
            run = await _Run.start(stack, demo, folder, say)
            await run.play(show)
            say("emptying the outbox …")
            await run.finish()
            say("asking the cloud …")
            return await run.judge()
    finally:
        if demo.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Run:
    """The parts of one run."""

    demo: Demo
    folder: Path
    admin: CloudAdmin
    hub: HubProcess
    second: HubProcess
    nodes: SimulatedNodes
    stage: Stage
    tally: Tally
    began: datetime

    @classmethod
    async def start(cls, stack: AsyncExitStack, demo: Demo, folder: Path, say: Say) -> "_Run":
        """Start the cloud, the bus, the nodes and the hub; return after the first sample."""
        began = datetime.now(UTC)
        say("starting the cloud …")
        cloud = await stack.enter_async_context(LocalCloud())
        proxy = await stack.enter_async_context(FaultProxy(cloud.url))
        say("starting the bus …")
        bus = await BusProcess.start(folder / "rs485")
        stack.push_async_callback(bus.stop)
        secrets = await asyncio.to_thread(register, cloud.process.admin)
        way, ports = Way(proxy.url, cloud.publishable_key), (free_port(), free_port())
        config = write_config(folder, way, secrets[0], ports[0], bus.port)
        hub = HubProcess(config, folder / "hub", folder / "hub.log")
        config = write_second_config(folder, way, secrets[1], ports[1])
        second = HubProcess(config, folder / "second-hub", folder / "second-hub.log")
        say("starting the nodes …")
        site_key = share_site_key(hub.data_dir, second.data_dir)
        nodes = await stack.enter_async_context(nodes_of(folder, site_key, ports))
        stack.push_async_callback(hub.stop)
        stack.push_async_callback(second.stop)
        tally, node = Tally(), next(iter(nodes.nodes.values()))
        stage = Stage(
            demo.faults, bus=bus, proxy=proxy, hub=hub, second=second, node=node, on_restart=tally.begin_life
        )
        say("starting the hub …")
        tally.begin_life()
        await hub.start()
        await _first_sample(hub)
        return cls(demo, folder, cloud.process.admin, hub, second, nodes, stage, tally, began)

    async def play(self, show: Show) -> None:
        """Let time pass, break what is due, and keep count."""
        start_s = time.monotonic()
        counted_s, cloud_rows = float("-inf"), 0
        while (now_s := time.monotonic() - start_s) < self.demo.seconds:
            await self.stage.step(now_s)
            status = await self.hub.status()
            if status is not None:
                self.tally.observe_hub(status)
            if use := self.hub.use():
                self.tally.observe_process(*use)
            if now_s - counted_s >= COUNT_EVERY_S:
                counted_s, cloud_rows = now_s, await asyncio.to_thread(_telemetry_rows, self.admin)
            show(now_s, describe(self.demo.faults, now_s), status, cloud_rows)
            await asyncio.sleep(STEP_S)
        await self.stage.clear()
        self.tally.close()

    async def finish(self) -> None:
        """End the nodes and then the hubs, each when it has sent what it has."""
        await fall_silent(self.nodes, self.hub)
        for node in self.nodes.nodes.values():
            await node.power_off()
        for hub in self._hubs():
            await hub.stop()
            await hub.start("drain", "--timeout", str(DRAIN_S))
            if await hub.wait() not in {0, 3}:  # dead letters are for the verdict to count
                hint = "run again with --keep FOLDER and read the hub's log there"
                raise OperatorNeeded("the outbox could not be emptied", where=str(self.folder), hint=hint)

    async def judge(self) -> dict[str, Any]:
        """Ask the cloud what it has, and hold it against what the outbox numbered."""
        count = await asyncio.to_thread(_count, self.admin, self.began)
        directories = [
            await asyncio.to_thread(_directory, hub.data_dir / OUTBOX_FILE) for hub in self._hubs()
        ]
        stored = sum(numbers_given(directories).values())
        return report(self.tally, count, stored, await count_rows(self.nodes, directories))

    def _hubs(self) -> list[HubProcess]:
        """Return those that have run."""
        return [hub for hub in (self.hub, self.second) if (hub.data_dir / OUTBOX_FILE).exists()]


async def _first_sample(hub: HubProcess) -> None:
    give_up_s = time.monotonic() + FIRST_SAMPLE_S
    while time.monotonic() < give_up_s and not hub.has_ended:
        status = await hub.status()
        if status is not None and status["pipeline"]["samples"]:
            return
        await asyncio.sleep(STEP_S)
    hint = "run again with --keep FOLDER and read hub.log there"
    raise OperatorNeeded("the hub took no sample", hint=hint)


def _telemetry_rows(admin: CloudAdmin) -> int:
    return sum(admin.count_rows(table) for table in TELEMETRY)


def _count(admin: CloudAdmin, began: datetime) -> CloudCount:
    devices = admin.completeness()
    latency = admin.upload_latency(began.isoformat(), (datetime.now(UTC) + timedelta(minutes=1)).isoformat())
    return CloudCount(
        telemetry_rows=_telemetry_rows(admin),
        rows=sum(device.rows_stored for device in devices),
        duplicates=sum(device.duplicates for device in devices),
        unexplained=sum(device.rows_unexplained for device in devices),
        explained=sum(device.rows_explained for device in devices),
        p50_ms=latency.p50_ms,
        p95_ms=latency.p95_ms,
    )


def numbers_given(directories: Sequence[Directory]) -> dict[tuple[str, int], int]:
    """Return how many rows each stream, a device key and an epoch, has in all outboxes together."""
    last_seqs: dict[tuple[str, int], int] = {}
    for directory in directories:
        for key, epoch in zip(directory.keys, directory.epochs, strict=True):
            before = last_seqs.get((key, epoch), 0)
            last_seqs[key, epoch] = max(before, directory.last_seq(key, epoch))
    return last_seqs


def _directory(outbox: Path) -> Directory:
    """Return which streams an emptied outbox has, and how many numbers each has given."""
    with closing(sqlite3.connect(outbox)) as connection:
        newest = load(connection).snapshots[0]
    return decode(Zstandard().restore(newest))
