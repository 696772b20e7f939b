"""A site with an outbox on a real file, for tests: short intervals, and a cloud that remembers."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from hub.outbox.service import Outbox
from hub.outbox.settings import OutboxSettings
from hub.outbox.sqlite_io import SqliteDisk
from hub.ports import Batch, Reading
from shared_schema.enums import Lane
from shared_schema.metrics import kind_named
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_events import FakeEvents

HUB = "site-hub"
LANES = (Lane.ALARM, Lane.LIVE, Lane.BACKLOG)
START_MS = 1_800_000_000_000


def settings(path: Path, **changes: Any) -> OutboxSettings:
    values: dict[str, Any] = {
        "path": str(path),
        "hub_device_key": HUB,
        "boot_id": "boot-1",
        "commit_interval_s": 0.0,
        "settle_interval_s": 0.0,
        "min_free_bytes": 0,
        "retry_after_s": 0.0,
        "salvage_chunks_per_s": 1e6,
    }
    return OutboxSettings(**{**values, **changes})


class Site:
    """An outbox that can be started, stopped, and cut off from power."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.path = path
        self.changes = changes
        self.clock = FakeClock(wall_ms=START_MS + 1_000_000)
        self.events = FakeEvents()
        self.start()

    def start(self) -> None:
        self.disk = SqliteDisk(str(self.path))
        self.outbox = Outbox(settings(self.path, **self.changes), self.disk, self.clock, self.events)
        self.task: asyncio.Task[None] | None = None

    async def open(self) -> Outbox:
        self.task = asyncio.create_task(self.outbox.run())
        opened = asyncio.create_task(self.outbox.mark_backlog())
        await asyncio.wait({self.task, opened}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        if self.task.done():
            opened.cancel()
            await self.task
        return self.outbox

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
            self.task = None

    async def cut_power(self, into: Path) -> None:
        """Go on with a copy of the files as they are at this instant; the old hub is not heard of again."""
        copy_files(self.path, into)
        await self.stop()
        self.path = into
        self.start()
        await self.open()


def copy_files(path: Path, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal"):
        if Path(f"{path}{suffix}").exists():
            shutil.copyfile(f"{path}{suffix}", f"{into}{suffix}")


@asynccontextmanager
async def site_at(path: Path, **changes: Any) -> AsyncIterator[Site]:
    site = Site(path, **changes)
    await site.open()
    try:
        yield site
    finally:
        await site.stop()


def flow(key: str, at: int, value: float | None = 1.0, **changes: Any) -> Reading:
    return reading(key, "flow", at, flow_rate_lpm=value)._replace(**changes)


def reading(key: str, kind: str, at: int, **values: Any) -> Reading:
    names = kind_named(kind).field_names
    assert set(values) <= set(names)
    return Reading(key, kind, START_MS + at, tuple(values.get(name) for name in names))


def flows(key: str, first: int, last: int) -> list[Reading]:
    """Return readings a second apart whose values tell them apart."""
    return [flow(key, 1000 * number, float(number)) for number in range(first, last + 1)]


async def take_all(outbox: Outbox, lanes: Sequence[int] = LANES, limit: int = 1000) -> list[Batch]:
    batches = []
    for lane in lanes:
        while (batch := await outbox.take(limit, lane)) is not None:
            batches.append(batch)
    return batches


async def send_all(outbox: Outbox, cloud: "Cloud", lanes: Sequence[int] = LANES, limit: int = 1000) -> None:
    for lane in lanes:
        while (batch := await outbox.take(limit, lane)) is not None:
            cloud.store(batch, range(len(batch)))
            await outbox.settle(batch, range(len(batch)), {})


class Cloud:
    """Rows by identity. repeats: how often a row came that was there already."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int, int, int], tuple[Any, ...]] = {}
        self.repeats = 0

    def store(self, batch: Batch, indices: Sequence[int]) -> None:
        for at in indices:
            identity = (batch.device_keys[at], batch.epochs[at], batch.seqs[at], batch.recorded_at_ms[at])
            row = (batch.kind, batch.qualities[at], *(column[at] for column in batch.columns))
            self.repeats += identity in self.rows
            assert self.rows.setdefault(identity, row) == row, "a row came again with other content"

    def losses(self) -> list[dict[str, Any]]:
        names = kind_named("loss").field_names
        return [dict(zip(names, row[2:], strict=True)) for row in self.rows.values() if row[0] == "loss"]

    def values(self, key: str) -> list[Any]:
        """Return the first values of a device's rows in order of their number."""
        return [row[2] for identity, row in sorted(self.rows.items()) if identity[0] == key]

    def unexplained(self) -> list[tuple[str, int, int]]:
        """Return every number below a stream's highest that is neither here nor in the ledger."""
        seqs: dict[tuple[str, int], set[int]] = {}
        for key, epoch, seq, _ in self.rows:
            assert seq not in seqs.setdefault((key, epoch), set()), "one number, two rows"
            seqs[key, epoch].add(seq)
        for loss in self.losses():
            stream = (loss["lost_device_id"], loss["lost_epoch"])
            seqs.setdefault(stream, set()).update(range(loss["first_seq"], loss["last_seq"] + 1))
        return [
            (key, epoch, seq)
            for (key, epoch), there in seqs.items()
            for seq in range(1, max(there))
            if seq not in there
        ]
