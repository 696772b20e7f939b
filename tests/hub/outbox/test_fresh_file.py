"""Going on in a fresh file: when reading finds damage, when the disk is full, when damage comes twice."""

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from hub.outbox import sqlite_io
from hub.outbox.chunk import Columns
from hub.outbox.directory import Shape
from hub.outbox.losses import Loss
from hub.outbox.records import FailedRow, StorageTrouble, Transaction
from hub.outbox.trouble import Trouble
from hub.outbox.work import Import, Work
from shared_schema.enums import Lane, LossCause, TimeQuality
from shared_schema.metrics import FLOW
from tests.hub.outbox.site import START_MS, Cloud, Site, flows, reading, send_all, site_at
from tests.hub.outbox.test_clock_pending import pending
from tests.hub.outbox.test_outbox import commit
from tests.hub.outbox.test_trouble import _is_settled, until

ROWS = 1000


def noise(first: int, rng: random.Random) -> list:  # type: ignore[type-arg]
    """Return rows that do not compress, so that their chunk needs pages of its own."""
    return [
        reading(
            "tank-1", "flow", 1000 * number, flow_rate_lpm=rng.random(), pressure_bar=rng.random(),
            temperature_c=rng.random(),
        )
        for number in range(first, first + ROWS)
    ]  # fmt: skip


def spoil_chain(path: Path) -> None:
    """Cut the chain of pages that holds a chunk; SQLite finds out when it follows it."""
    whole = path.read_bytes()
    size = int.from_bytes(whole[16:18], "big")
    for page in range(len(whole) // size // 2, len(whole) // size):
        at = page * size
        path.write_bytes(whole[:at] + b"\xff\xff\xff\xf0" + whole[at + 4 :])
        if unreadable(path) == 1:
            return
    raise AssertionError("no page belongs to one chunk alone")


def unreadable(path: Path) -> int:
    other = sqlite3.connect(path)
    count = 0
    for chunk_id in range(1, 11):
        try:
            other.execute("select body from chunks where id = ?", (chunk_id,)).fetchone()
        except sqlite3.DatabaseError:
            count += 1
    other.close()
    return count


async def test_damage_that_only_reading_finds_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_io, "QUICK_CHECK_BYTES", 0)  # as with a large file
    path, cloud, rng = tmp_path / "outbox.db", Cloud(), random.Random(1)
    async with site_at(path) as site:
        for first in range(0, 10 * ROWS, ROWS):
            await site.outbox.append(noise(first, rng), Lane.LIVE)
        batch = await site.outbox.take(ROWS, Lane.LIVE)
        assert batch is not None
        cloud.store(batch, range(ROWS))
        await site.outbox.settle(batch, range(ROWS), {})
        await commit(site)
    await asyncio.to_thread(spoil_chain, path)
    async with site_at(path) as site:
        async with asyncio.timeout(20):
            while site.outbox.state().rows:
                await send_all(site.outbox, cloud)
                await asyncio.sleep(0.01)
        await until(lambda: _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
        assert "outbox_corrupt" in site.events.raised
    assert 5 * ROWS < len(cloud.values("tank-1")) < 10 * ROWS
    assert cloud.unexplained() == []


class Failing:
    """Makes the next writes fail: of the trouble named first, then of the next."""

    def __init__(self, site: Site, *troubles: Trouble) -> None:
        self._write = site.disk.write
        self._path = str(site.path)
        self._troubles = list(troubles)
        site.disk.write = self.write  # type: ignore[method-assign]

    async def write(self, prepare: object) -> None:
        if not self._troubles:
            await self._write(prepare)  # type: ignore[arg-type]
            return
        transaction = prepare()  # type: ignore[operator]
        assert isinstance(transaction, Transaction)
        raise StorageTrouble(self._troubles.pop(0), "as this test wants it", self._path)


async def test_a_disk_without_room_for_the_fresh_file_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, fails = sqlite_io._prepare, [1, 1]

    def full_at_first(connection: sqlite3.Connection) -> None:
        if fails.pop() if fails else 0:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        prepare(connection)

    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        Failing(site, Trouble.CORRUPT)
        monkeypatch.setattr(sqlite_io, "_prepare", full_at_first)
        async with asyncio.timeout(20):
            await site.outbox.append(flows("tank-1", 6, 8), Lane.LIVE)
            await until(lambda: _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
        assert site.events.raised.count("outbox_salvaged") == 1
    assert sorted(cloud.values("tank-1")) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert cloud.unexplained() == []


async def test_what_was_being_brought_over_survives_that_the_new_file_is_damaged_too(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        Failing(site, Trouble.CORRUPT)
        row = [None] * len(FLOW.fields)
        shape = Shape("flow", FLOW.field_names)
        columns = Columns([START_MS], [0], [0], [[value] for value in (7.0, *row[1:])])
        work = Work(
            site.clock.stamp(0),
            imports=[Import(Lane.LIVE, shape, "", 0, [("tank-9", 7, 1, 1)], columns)],
            losses=[Loss("tank-9", 7, 2, 3, 2, LossCause.CORRUPT)],
            failed=[FailedRow(1, "tank-9", 7, 4, "flow", START_MS, 0, 0, "{}", "no", 1, START_MS)],
            salvage_progress=("elsewhere", -1),
        )
        async with asyncio.timeout(20):
            await site.outbox._write_salvaged(work)
            await until(lambda: _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.unexplained() == []
    assert {seq for key, epoch, seq, _ in cloud.rows if (key, epoch) == ("tank-9", 7)} == {1, 4}
    assert [loss["last_seq"] for loss in cloud.losses()] == [3]


async def test_a_boot_that_is_placed_stays_placed_in_a_fresh_file(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(pending(1, 3), Lane.LIVE)
        Failing(site, Trouble.CORRUPT)
        await site.outbox.set_boot_clock("boot-1", START_MS, TimeQuality.CORRECTED)
        await until(lambda: site.disk.wrecks() or "outbox_salvaged" in site.events.raised)
        await until(lambda: _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [1.0, 2.0, 3.0]
    assert {at for key, _, _, at in cloud.rows if key == "tank-1"} == {START_MS + 1000 * n for n in (1, 2, 3)}


async def test_a_chunk_of_the_old_file_found_damaged_late_costs_the_new_one_nothing(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        old = site.outbox._stock.shelf.chunks[1]
        site.outbox._writer._lost.append((old, []))
        Failing(site, Trouble.CORRUPT)
        site.outbox._writer._lost, late = [], site.outbox._writer._lost
        storing = asyncio.create_task(site.outbox.append(flows("tank-2", 1, 5), Lane.LIVE))
        await until(lambda: site.outbox._writer.is_damaged)
        site.outbox._writer._lost += late
        await asyncio.wait_for(storing, 20)
        await site.outbox._writer.examine([old])
        await until(lambda: _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [1, 2, 3, 4, 5]
    assert cloud.values("tank-2") == [1, 2, 3, 4, 5]


async def test_a_file_without_one_of_its_tables_is_damaged(tmp_path: Path) -> None:
    path, cloud = tmp_path / "outbox.db", Cloud()
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
    other = sqlite3.connect(path)
    other.execute("drop table states")
    other.close()
    site = Site(path)
    site.task = asyncio.create_task(site.outbox.run())
    await asyncio.wait_for(site.outbox.append(flows("tank-1", 6, 8), Lane.LIVE), 20)
    await until(lambda: _is_settled(site))
    await commit(site)
    await send_all(site.outbox, cloud)
    await site.stop()
    assert "outbox_corrupt" in site.events.raised
    assert sorted(cloud.values("tank-1")) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert cloud.unexplained() == []
