"""outbox: durable append against plain SQLite rows, bytes per reading, drain.

A reading is one value of one register. Rows carry one metric or six; both are shown, since a device with six
spreads its row's costs over six readings. Time is compressed twentyfold where bytes are counted: what is
written depends on how many commits there are and what is in them, not on the pause between them.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import uvloop

from hub.outbox.service import Outbox
from hub.outbox.settings import OutboxSettings
from hub.outbox.sqlite_io import SqliteDisk
from hub.ports import Reading, Stamp
from shared_schema.enums import Lane
from shared_schema.metrics import FLOW
from tools.bench.harness import Outcome, Row, at_least, at_most, paired

ROUNDS = 5
BATCH = 1000
START_MS = 1_800_000_000_000
HASTE = 20  # times faster than real time
ON_DISK = "/var/tmp"  # /tmp may be memory, which counts no written bytes
FOLDER = ON_DISK if Path(ON_DISK).is_dir() else None


class BenchClock:
    """Wall time from a fixed start."""

    def monotonic_s(self) -> float:
        """Return the machine's."""
        return time.monotonic()

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return a wall time."""
        return Stamp(START_MS + round(monotonic_s * 1000), 0)


class NoEvents:
    """An outbox in a benchmark has no trouble."""

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        """Fail: what is measured with trouble is not measured."""
        raise RuntimeError(f"{level} {code}: {message} {device_key}")

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        """Nothing was raised."""


@asynccontextmanager
async def _outbox(folder: str, interval_s: float = 0.0) -> AsyncIterator[Outbox]:
    path = str(Path(folder) / "outbox.db")
    settings = OutboxSettings(
        path,
        "hub",
        "boot",
        commit_interval_s=interval_s,
        settle_interval_s=30 * max(interval_s, 0.05),
        min_free_bytes=0,
    )
    outbox = Outbox(settings, SqliteDisk(path), BenchClock(), NoEvents())
    serving = asyncio.create_task(outbox.run())
    try:
        await outbox.mark_backlog()
        yield outbox
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


class _Site:
    """Devices whose values wander as levels and flows do: a few hundredths from one second to the next."""

    def __init__(self, devices: int, metrics: int) -> None:
        self._rng = random.Random(1)
        self._values = [[self._rng.uniform(0, 1000) for _ in range(metrics)] for _ in range(devices)]
        self._nothing = (None,) * (len(FLOW.fields) - metrics)
        self._second = 0

    def rows(self) -> list[Reading]:
        """Return one row of each device, a second after the ones before."""
        self._second += 1
        return [self._row(number) for number in range(len(self._values))]

    def _row(self, device: int) -> Reading:
        values = self._values[device]
        values[:] = [value + self._rng.gauss(0, 0.05) for value in values]
        at_ms = START_MS + self._second * 1000 + self._rng.randrange(50)
        rounded = (round(value, 2) for value in values)
        return Reading(f"device-{device}", FLOW.name, at_ms, (*rounded, *self._nothing))


def _append_rate(batches: Sequence[Sequence[Reading]]) -> float:
    """Return how often a second all of these could be stored."""

    async def measure(folder: str) -> float:
        async with _outbox(folder) as outbox:
            began_s = time.perf_counter()
            for rows in batches:
                await outbox.append(rows, Lane.LIVE)
            return 1 / (time.perf_counter() - began_s)

    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return uvloop.run(measure(folder))


def _plain_rate(batches: Sequence[Sequence[tuple[int, int, int, float]]]) -> float:
    with (
        tempfile.TemporaryDirectory(dir=FOLDER) as folder,
        closing(sqlite3.connect(f"{folder}/plain.db")) as plain,
    ):
        plain.execute("pragma journal_mode = wal")
        plain.execute("pragma synchronous = full")
        plain.execute(
            "create table rows (id integer primary key, device int, seq int, recorded_at int, value real)"
        )
        began_s = time.perf_counter()
        for rows in batches:
            plain.executemany("insert into rows (device, seq, recorded_at, value) values (?,?,?,?)", rows)
            plain.commit()
        return 1 / (time.perf_counter() - began_s)


def _written_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


async def _written_per_second(folder: str, site: _Site, seconds: int) -> float:
    """Return what a second costs once the file has its size: stored, lent, settled, dropped."""
    async with _outbox(folder, 1 / HASTE) as outbox:
        for _ in range(60):
            await _one_second(outbox, site)
        before = _written_bytes()
        for _ in range(seconds):
            await _one_second(outbox, site)
        return (_written_bytes() - before) / seconds


async def _one_second(outbox: Outbox, site: _Site) -> None:
    await outbox.append(site.rows(), Lane.LIVE)
    for lane in (Lane.LIVE, Lane.BACKLOG):
        while (batch := await outbox.take(BATCH, lane)) is not None:
            await outbox.settle(batch, range(len(batch)), {})


def _written(readings_per_s: int, metrics: int, seconds: int) -> float:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        site = _Site(max(1, readings_per_s // metrics), metrics)
        return uvloop.run(_written_per_second(folder, site, seconds)) / readings_per_s


async def _stored_and_drained(folder: str, rows: int, metrics: int) -> tuple[float, float, float]:
    """Return bytes on disk per row, rows drained per second, and CPU-µs per drained row."""
    site = _Site(BATCH, metrics)
    async with _outbox(folder) as outbox:
        for _ in range(max(1, rows // BATCH)):
            await outbox.append(site.rows(), Lane.LIVE)
    size = _bytes_in(folder)
    async with _outbox(folder) as outbox:
        began_s, began_cpu_s, count = time.perf_counter(), time.process_time(), 0
        while (batch := await outbox.take(BATCH, Lane.BACKLOG)) is not None:
            await outbox.settle(batch, range(len(batch)), {})
            count += len(batch)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return size / count, count / took_s, cpu_s / count * 1e6


def _bytes_in(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).glob("outbox.db*"))


def _drain(rows: int, metrics: int) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return uvloop.run(_stored_and_drained(folder, rows, metrics))


def _append(batches: int, metrics: int) -> list[Row]:
    """Compare readings stored per second, with as many readings in each commit on both sides."""
    site = _Site(BATCH, metrics)
    ours = [site.rows() for _ in range(batches)]
    plain = [
        [
            (device * metrics + metric, second, row.recorded_at_ms, float(row.values[metric] or 0))
            for device, row in enumerate(rows)
            for metric in range(metrics)
        ]
        for second, rows in enumerate(ours)
    ]
    mine, other, ratio = paired(ROUNDS, lambda: _append_rate(ours), lambda: _plain_rate(plain))
    readings = batches * BATCH * metrics
    return [
        at_least(f"append / executemany, FULL, batch 1000, {metrics} metrics a row", ratio, "x", 1.0),
        Row(f"append, {metrics} metrics a row", mine * readings, "readings/s"),
        Row(f"executemany of as many plain rows, {metrics} a row", other * readings, "readings/s"),
    ]


def run(scale: float = 1.0) -> Outcome:
    """Measure. At scale 1 a million rows are stored and drained."""
    rows = [row for metrics in (1, 6) for row in _append(max(5, round(200 * scale / metrics)), metrics)]
    for metrics in (1, 6):
        size, drained, cpu_us = _drain(round(1_000_000 * scale), metrics)
        rows += [
            at_most(f"on disk, {metrics} metrics a row", size / metrics, "bytes/reading", 12),
            Row(f"drain, {metrics} metrics a row", drained, "rows/s"),
            Row(f"drain, {metrics} metrics a row", cpu_us, "CPU-us/row"),
        ]
    seconds = max(60, round(300 * scale))
    for readings_per_s, bound in ((1000, 30), (100, 150)):
        for metrics in (1, 6):
            label = f"written at {readings_per_s} readings/s, {metrics} metrics a row"
            rows.append(at_most(label, _written(readings_per_s, metrics, seconds), "bytes/reading", bound))
    return Outcome("outbox", rows)
