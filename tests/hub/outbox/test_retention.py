"""An outbox that outgrows its bounds: thinned, then evicted, every row in the ledger."""

import random
from pathlib import Path

import pytest

from hub.outbox.retention import MERGE_CHUNKS
from hub.outbox.upkeep_service import MERGE_AFTER_CHUNKS
from shared_schema.enums import Lane
from tests.hub.outbox.site import HUB, Cloud, Site, flow, flows, reading, send_all, site_at
from tests.hub.outbox.test_outbox import commit
from tests.hub.outbox.test_trouble import until

MINUTE = 60


async def second_by_second(site: Site, seconds: int, first: int = 0) -> None:
    for start in range(first, first + seconds, 100):
        rows = [flow("tank-1", 1000 * second, float(second)) for second in range(start, start + 100)]
        await site.outbox.append(rows, Lane.LIVE)


async def test_thins_old_telemetry_to_a_row_a_minute_before_it_gives_up_any(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db", max_rows=3000) as site:
        await second_by_second(site, 6000)
        await until(lambda: site.outbox.state().rows < 3000)
        await commit(site)
        await send_all(site.outbox, cloud)
        losses = site.outbox.state().losses
    assert set(losses) == {"thinned"}
    sent = len([value for value in cloud.values("tank-1") if value is not None])
    assert losses["thinned"] + sent == 6000
    assert cloud.unexplained() == []
    # the mean of the first minute, under the number and time of its last row
    (first,) = [
        row for identity, row in cloud.rows.items() if identity[0] == "tank-1" and identity[2] == MINUTE
    ]
    assert first[2] == pytest.approx(sum(range(MINUTE)) / MINUTE)


async def test_evicts_the_oldest_when_there_is_nothing_left_to_thin(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db", max_rows=500) as site:
        await site.outbox.append([reading(HUB, "error", 0, level="error")] * 20, Lane.ALARM)
        for first in range(0, 2000, 100):
            rows = [flow("tank-1", 60_000 * minute, float(minute)) for minute in range(first, first + 100)]
            await site.outbox.append(rows, Lane.LIVE)
        await until(lambda: site.outbox.state().rows < 500)
        await commit(site)
        await send_all(site.outbox, cloud)
        losses = site.outbox.state().losses
    assert set(losses) == {"evicted"}
    values = cloud.values("tank-1")
    assert values == [float(minute) for minute in range(2000 - len(values), 2000)]
    assert sum(row[0] == "error" for row in cloud.rows.values()) == 20
    assert cloud.unexplained() == []
    assert cloud.losses()[0]["cause"] == "evicted"


async def test_stays_within_its_bytes(tmp_path: Path) -> None:
    cloud, rng = Cloud(), random.Random(1)
    async with site_at(tmp_path / "outbox.db", max_bytes=120_000) as site:
        for first in range(0, 60_000, 1000):
            rows = [
                flow(f"tank-{number % 50}", 60_000 * first + number, rng.random()) for number in range(1000)
            ]
            await site.outbox.append(rows, Lane.LIVE)
        await until(lambda: not site.outbox._upkeep.is_pressed)
        assert site.outbox.state().losses
        assert ("outbox_full", None) not in site.events.active
        assert site.outbox._upkeep.usage.used <= 120_000
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.unexplained() == []


async def test_rows_on_loan_are_neither_thinned_nor_evicted(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db", max_rows=500) as site:
        await second_by_second(site, 100)
        batch = await site.outbox.take(1000, Lane.LIVE)
        assert batch is not None
        await second_by_second(site, 2000, first=100)
        await until(lambda: site.outbox.state().losses)
        await site.outbox.settle(batch, (), {})
        (again,) = [await site.outbox.take(100, Lane.LIVE)]
        assert again is not None
        assert again.seqs == batch.seqs


async def test_merges_small_chunks_of_a_long_outage_without_changing_a_row(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        for second in range(400):
            await site.outbox.append(
                [flow("tank-1", 1000 * second, float(second)), flow("tank-2", second)], Lane.LIVE
            )
        await site.outbox._upkeep.step(lambda: None)
        assert len(site.outbox._stock.shelf.chunks) < 200
        await site.cut_power(tmp_path / "after" / "outbox.db")
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [float(second) for second in range(400)]
    assert cloud.unexplained() == []
    assert cloud.repeats == 0


async def test_a_chunk_rewritten_to_the_same_length_forgets_what_was_sent_of_the_old_one(
    tmp_path: Path,
) -> None:
    cloud = Cloud()
    merged = MERGE_CHUNKS - 1  # single rows that join the half-sent chunk, and make it as long as it was
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 2 * merged), Lane.LIVE)
        batch = await site.outbox.take(1000, Lane.LIVE)
        assert batch is not None
        cloud.store(batch, range(merged))
        await site.outbox.settle(batch, range(merged), {})
        last = 3 * merged + MERGE_AFTER_CHUNKS
        for number in range(2 * merged + 1, last + 1):
            await site.outbox.append(flows("tank-1", number, number), Lane.LIVE)
        await site.outbox._upkeep.step(lambda: None)
        assert site.outbox._stock.shelf.chunks[1].rows == 2 * merged
        await site.cut_power(tmp_path / "after" / "outbox.db")
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [float(number) for number in range(1, last + 1)]
    assert cloud.repeats == 0
