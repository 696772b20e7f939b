"""The outbox when the disk, the file or another program does not play along."""

# ruff: noqa: ASYNC240 - the files are small and these tests are alone in their loop

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.errors import TryAgain
from hub.outbox.chunk import Columns
from hub.outbox.directory import Shape
from hub.outbox.work import Import, Work
from shared_schema.enums import Lane
from shared_schema.metrics import FLOW
from tests.hub.outbox.site import HUB, LANES, Cloud, Site, flows, reading, send_all, site_at
from tests.hub.outbox.test_outbox import commit


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the outbox has no event for every state a test looks at
            await asyncio.sleep(0.005)


async def test_waits_for_another_program_that_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    async with site_at(path) as site:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        storing = asyncio.create_task(site.outbox.append(flows("tank-1", 1, 3), Lane.LIVE))
        await until(lambda: site.outbox.state().is_degraded)
        assert ("outbox_locked", None) in site.events.active
        assert "another program" in site.outbox.state().trouble
        assert not storing.done()
        other.execute("rollback")
        other.close()
        await asyncio.wait_for(storing, 20)
        assert not site.outbox.state().is_degraded
        assert site.events.active == {}
        assert site.events.raised == ["outbox_locked"]


async def test_what_gives_way_while_the_disk_fails_is_in_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    cloud = Cloud()
    async with site_at(path, memory_rows=20) as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        await site.outbox.offer(flows("tank-1", 6, 10))
        await until(lambda: site.outbox.state().is_degraded)
        for first in range(11, 91, 10):
            await asyncio.wait_for(site.outbox.offer(flows("tank-1", first, first + 9)), 5)
        with pytest.raises(TryAgain, match="another program"):
            await site.outbox.append(flows("tank-2", 1, 5), Lane.LIVE)
        other.execute("rollback")
        other.close()
        await until(lambda: not site.outbox.state().is_degraded)
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.unexplained() == []
    assert cloud.values("tank-1") == [float(number) for number in (*range(1, 11), *range(71, 91))]
    (loss,) = cloud.losses()
    assert (loss["lost_device_id"], loss["cause"]) == ("tank-1", "disk")
    assert loss["last_seq"] - loss["first_seq"] + 1 == 60
    assert site.outbox.state().losses == {"disk": 60}


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=512k,mode=0777,uid={os.geteuid()}"
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            yield folder
            subprocess.run([*as_root, "umount", "-l", str(folder)], check=True)
            return
    pytest.skip("a small file system can only be mounted by root")


async def test_a_full_disk_costs_nothing_that_memory_can_hold(small_disk: Path) -> None:
    cloud = Cloud()
    async with site_at(small_disk / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        filler = small_disk / "filler"
        fill(filler)
        number = 6
        while not site.outbox.state().is_degraded:
            await asyncio.wait_for(site.outbox.offer(flows("tank-1", number, number + 99)), 5)
            number += 100
            await asyncio.sleep(0.005)
        assert ("disk_full", None) in site.events.active
        filler.unlink()
        await until(lambda: not site.outbox.state().is_degraded)
        await commit(site)
        await send_all(site.outbox, cloud)
        assert site.events.raised.count("disk_full") == 1
    assert cloud.values("tank-1") == [float(each) for each in range(1, number)]
    assert cloud.unexplained() == []


_LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from shared_schema.enums import Lane
from shared_schema.metrics import FLOW
from tests.hub.outbox.site import Cloud, flows, send_all, site_at
from tests.hub.outbox.test_outbox import commit
from tests.hub.outbox.test_trouble import until

async def main(path):
    cloud = Cloud()
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
        number = 6
        while not site.outbox.state().is_degraded:
            await site.outbox.offer(flows("tank-1", number, number + 9))
            number += 10
            await asyncio.sleep(0.001)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(lambda: not site.outbox.state().is_degraded)
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [float(each) for each in range(1, number)], len(cloud.rows)
    assert cloud.unexplained() == []
    print(sorted(set(site.events.raised)))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_file_that_may_not_grow_costs_nothing_that_memory_can_hold(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path / "outbox.db")],
        env=os.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "disk_" in done.stdout


async def test_a_read_that_fails_lends_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        await site.stop()
        assert await site.outbox.take(10, Lane.LIVE) is None
        site.start()
        await site.open()
        batch = await site.outbox.take(10, Lane.BACKLOG)
        assert batch is not None
        assert len(batch) == 5


async def _filled(path: Path, cloud: Cloud) -> Site:
    site = Site(path)
    await site.open()
    await site.outbox.append(flows("tank-1", 1, 500), Lane.LIVE)
    await send_all(site.outbox, cloud)
    for first in range(501, 4001, 50):
        rows = flows("tank-1", first, first + 49) + flows("tank-2", first, first + 49)
        await site.outbox.append(rows, Lane.LIVE)
    return site


def _spoil(path: Path, rng: random.Random, places: int) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(places):
            file.seek(rng.randrange(size))
            file.write(rng.randbytes(rng.choice((1, 16, 4096))))


@pytest.mark.parametrize("seed", [3, 4, 5, 11, 123, 132])
async def test_a_damaged_file_is_set_aside_and_what_is_readable_brought_over(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    path, cloud = tmp_path / "outbox.db", Cloud()
    site = await _filled(path, cloud)
    await site.stop()
    _spoil(path, rng, places=3)
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 4001, 4010), Lane.LIVE)
        await until(lambda: _is_settled(site))
        async with asyncio.timeout(20):
            while site.outbox.state().rows:
                # what turns out to be unreadable only now ends a take; its ledger row comes next
                await commit(site)
                await send_all(site.outbox, cloud)
    assert {4001.0, 4010.0} <= set(cloud.values("tank-1"))
    assert _unexplained_below(cloud) == []


def _is_settled(site: Site) -> bool:
    directory = site.outbox._stock.directory
    return all(directory.salvaged.get(path) == -1 for path in site.disk.wrecks())


def _unexplained_below(cloud: Cloud) -> list[tuple[str, int, int]]:
    # A file whose snapshots are gone too cannot say what was in it; the operator is told so instead.
    return cloud.unexplained()


async def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"not a database at all" * 1000)
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        assert ("outbox_corrupt", None) in site.events.active
        await until(lambda: _is_settled(site))
    assert Path(f"{path}.corrupt-1").read_bytes().startswith(b"not a database")


async def test_damage_while_running_loses_nothing_that_can_be_read(tmp_path: Path) -> None:
    path, cloud = tmp_path / "outbox.db", Cloud()
    site = await _filled(path, cloud)
    # A checkpoint, so that the pages are read from the file and not from its log.
    other = sqlite3.connect(path)
    other.execute("pragma wal_checkpoint(truncate)")
    other.close()
    with path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096 * 10)
    for number in range(5):
        await asyncio.wait_for(site.outbox.append(flows("tank-3", number, number), Lane.LIVE), 20)
        await asyncio.wait_for(send_all(site.outbox, cloud), 20)
    await until(lambda: _is_settled(site))
    await commit(site)
    await send_all(site.outbox, cloud)
    await site.stop()
    assert cloud.unexplained() == []
    assert set(cloud.values("tank-3")) == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert len(set(cloud.values("tank-1"))) > 2000


async def test_rows_of_a_chunk_that_does_not_say_whose_they_are_are_in_the_ledger(tmp_path: Path) -> None:
    path, cloud = tmp_path / "outbox.db", Cloud()
    async with site_at(path) as site:
        for first in (1, 11, 21):
            await site.outbox.append(
                [*flows("tank-1", first, first + 9), *flows("tank-2", first, first + 9)], Lane.LIVE
            )
        await asyncio.to_thread(_spoil_runs, path, 2)
        await asyncio.wait_for(send_all(site.outbox, cloud), 20)
        await commit(site)
        await until(lambda: site.disk.wrecks() and _is_settled(site))
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.unexplained() == []
    expected = {float(number) for number in (*range(1, 11), *range(21, 31))}
    assert set(cloud.values("tank-1")) == set(cloud.values("tank-2")) == expected
    losses = {(loss["lost_device_id"], loss["first_seq"], loss["last_seq"]) for loss in cloud.losses()}
    assert {("tank-1", 11, 20), ("tank-2", 11, 20)} <= losses


def _spoil_runs(path: Path, chunk_id: int) -> None:
    other = sqlite3.connect(path)
    with other:
        changed = other.execute("update chunks set runs = x'07ff' where id = ?", (chunk_id,)).rowcount
    other.close()
    assert changed == 1


async def test_any_length_of_the_log_opens_and_holds_a_prefix(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    lengths = []
    async with site_at(path) as site:
        for number in range(1, 13):
            await site.outbox.append(
                [*flows("tank-1", number, number), reading(HUB, "error", number)], Lane.LIVE
            )
            lengths.append(Path(f"{path}-wal").stat().st_size)
        whole, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    rng = random.Random(1)
    for at, length in enumerate([*rng.sample(range(len(log)), 25), *lengths]):
        torn = tmp_path / str(at) / "outbox.db"
        torn.parent.mkdir()
        torn.write_bytes(whole)
        Path(f"{torn}-wal").write_bytes(log[:length])
        cloud = Cloud()
        async with site_at(torn) as site:
            await send_all(site.outbox, cloud)
            await site.outbox.append(flows("tank-1", 99, 99), Lane.LIVE)
            await send_all(site.outbox, cloud)
        done = sum(each <= length for each in lengths)
        assert cloud.values("tank-1")[:-1] == [float(number) for number in range(1, done + 1)]
        assert cloud.unexplained() == []


async def test_a_disk_that_cannot_be_written_at_start_is_waited_for(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("a file where the data folder should be")
    site = Site(blocked / "outbox.db")
    site.task = asyncio.create_task(site.outbox.run())
    await asyncio.wait_for(site.outbox.offer(flows("tank-1", 1, 3)), 5)
    await until(lambda: ("disk_error", None) in site.events.active)
    blocked.unlink()
    await asyncio.wait_for(site.outbox.append(flows("tank-1", 4, 4), Lane.LIVE), 20)
    cloud = Cloud()
    await send_all(site.outbox, cloud)
    assert site.events.active == {}
    await site.stop()
    assert cloud.values("tank-1") == [1.0, 2.0, 3.0, 4.0]


async def test_an_outbox_of_an_older_version_drains_under_the_names_it_has(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        older = Shape("flow", ("pressure_bar", "flow_rate_lpm", "gone_since"))
        columns = Columns([1, 2], [0, 0], [0, 0], [[1.0, 2.0], [10.0, None], [5.0, 6.0]])
        chunk = Import(Lane.LIVE, older, "", 0, [("tank-1", 7, 1, 2)], columns)
        await site.outbox._write_salvaged(Work(site.clock.stamp(0), imports=[chunk]))
        (batch,) = [batch for lane in LANES if (batch := await site.outbox.take(10, lane))]
        by_name = dict(zip(FLOW.field_names, batch.columns, strict=True))
    assert list(by_name["flow_rate_lpm"]) == [10.0, None]
    assert list(by_name["pressure_bar"]) == [1.0, 2.0]
    assert list(by_name["battery_v"]) == [None, None]
