"""What the outbox promises, on a real file."""

import asyncio
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from hub.ports import Reading
from shared_schema.enums import Lane, Quality, TimeQuality
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from shared_schema.metrics import KINDS
from tests.hub.outbox.site import (
    HUB,
    START_MS,
    Cloud,
    Site,
    flow,
    flows,
    reading,
    send_all,
    site_at,
    take_all,
)


async def test_gives_back_what_was_put_in_column_by_column(tmp_path: Path) -> None:
    rows = [
        flow("tank-1", 10, 1.234),
        flow("tank-1", 20, None, quality=Quality.BAD),
        flow("tank-2", 15, 7.0, time_quality=TimeQuality.CORRECTED),
    ]
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(rows, Lane.LIVE)
        (batch,) = await take_all(site.outbox)
    assert batch.kind == "flow"
    assert batch.device_keys == ["tank-1", "tank-1", "tank-2"]
    assert batch.seqs == [1, 2, 1]
    assert batch.recorded_at_ms == [START_MS + 10, START_MS + 20, START_MS + 15]
    assert list(batch.qualities) == [Quality.GOOD, Quality.BAD, Quality.GOOD]
    assert list(batch.time_qualities) == [0, 0, TimeQuality.CORRECTED]
    assert list(batch.columns[0]) == [1.234, None, 7.0]
    assert len(set(batch.epochs)) == 1
    assert batch.epochs[0] > 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_carries_every_kind(tmp_path: Path, kind) -> None:  # type: ignore[no-untyped-def]
    examples = {
        "float": 1.5,
        "integer": 7,
        "text": "a word — with an accent é",
        "instant": START_MS,
        "device": "tank-1",
    }
    values = tuple(examples[field.type] for field in kind.fields)
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append([Reading("tank-1", kind.name, START_MS, values)], Lane.LIVE)
        (batch,) = await take_all(site.outbox)
    assert tuple(column[0] for column in batch.columns) == values


async def test_counts_a_row_from_when_it_has_it_whatever_the_disk_does(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        stored = asyncio.create_task(site.outbox.append([flow("tank-1", 1)], Lane.LIVE))
        await asyncio.sleep(0)
        counts = set()
        while not stored.done():
            counts.add(site.outbox.state().rows)
            await asyncio.sleep(0)
        await stored
    assert counts == {1}


async def test_numbers_each_device_without_a_hole_over_all_kinds_and_lanes(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        for number in range(5):
            await site.outbox.offer([flow("tank-1", number), reading("tank-1", "power", number, power_w=1.0)])
            await site.outbox.append([reading("tank-1", "error", number, level="error")], Lane.ALARM)
        await send_all(site.outbox, cloud)
    assert sorted(seq for _, _, seq, _ in cloud.rows) == list(range(1, 16))


async def test_what_append_returned_for_survives_a_power_cut(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db", commit_interval_s=3600.0) as site:
        await site.outbox.append(flows("tank-1", 1, 3), Lane.ALARM)
        await site.cut_power(tmp_path / "after" / "outbox.db")
        cloud = Cloud()
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [1.0, 2.0, 3.0]


async def test_an_alarm_takes_the_waiting_telemetry_with_it(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db", commit_interval_s=3600.0) as site:
        await site.outbox.offer(flows("tank-1", 1, 3))
        await site.outbox.append([reading("tank-1", "error", 4, level="error")], Lane.ALARM)
        await site.cut_power(tmp_path / "after" / "outbox.db")
        assert site.outbox.state().rows == 4


async def test_keeps_rows_that_the_cloud_did_not_answer(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        (batch,) = await take_all(site.outbox)
        await site.outbox.settle(batch, {0, 1, 4}, {})
        (rest,) = await take_all(site.outbox)
        assert list(rest.columns[0]) == [3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]
        assert rest.seqs == [3, 4, 6, 7, 8, 9, 10]


async def test_lends_no_row_twice_before_it_is_settled(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        first = await site.outbox.take(4, Lane.LIVE)
        second = await site.outbox.take(100, Lane.LIVE)
        assert first is not None
        assert second is not None
        assert [*first.seqs, *second.seqs] == list(range(1, 11))
        assert await site.outbox.take(100, Lane.LIVE) is None


async def test_two_who_take_at_once_get_different_rows(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 2000), Lane.LIVE)
        batches = await asyncio.gather(*(site.outbox.take(500, Lane.LIVE) for _ in range(4)))
        seqs = [seq for batch in batches if batch for seq in batch.seqs]
    assert sorted(seqs) == list(range(1, 2001))


async def test_a_cancelled_take_lends_nothing(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        taking = asyncio.create_task(site.outbox.take(10, Lane.LIVE))
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert sum(len(batch) for batch in await take_all(site.outbox)) == 10


async def test_settled_rows_do_not_come_back_after_a_restart(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db", settle_interval_s=3600.0) as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        (batch,) = await take_all(site.outbox)
        await site.outbox.settle(batch, range(7), {})
    async with site_at(tmp_path / "outbox.db") as site:
        (rest,) = await take_all(site.outbox)
        assert rest.seqs == [8, 9, 10]
        assert site.outbox.state().settled == 7


async def test_numbers_go_on_where_they_stopped_whatever_was_sent(tmp_path: Path) -> None:
    cloud = Cloud()
    for life in range(4):
        async with site_at(tmp_path / "outbox.db") as site:
            await site.outbox.append(flows("tank-1", 10 * life + 1, 10 * life + 10), Lane.LIVE)
            if life % 2:
                await send_all(site.outbox, cloud)
    assert [seq for _, _, seq, _ in sorted(cloud.rows)] == list(range(1, 41))
    assert cloud.values("tank-1") == [float(number) for number in range(1, 41)]


async def test_merges_small_chunks_of_a_kind_into_one_batch(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        for number in range(1, 6):
            await site.outbox.append(flows("tank-1", number, number), Lane.LIVE)
            await site.outbox.append([reading("pump", "power", number, power_w=2.0)], Lane.LIVE)
        batches = await take_all(site.outbox)
    assert [(batch.kind, len(batch)) for batch in batches] == [("flow", 5), ("power", 5)]


async def test_alarms_go_first_then_live_then_backlog_oldest_first(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 3), Lane.LIVE)
        await site.outbox.mark_backlog()
        await site.outbox.append(flows("tank-1", 4, 5), Lane.LIVE)
        await site.outbox.append([reading("tank-1", "error", 9, level="error")], Lane.ALARM)
        batches = await take_all(site.outbox)
    assert [(batch.lane, list(batch.seqs)) for batch in batches] == [
        (Lane.ALARM, [6]),
        (Lane.LIVE, [4, 5]),
        (Lane.BACKLOG, [1, 2, 3]),
    ]


async def test_a_live_row_given_back_after_the_mark_is_backlog(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 3), Lane.LIVE)
        batch = await site.outbox.take(10, Lane.LIVE)
        assert batch is not None
        await site.outbox.mark_backlog()
        await site.outbox.settle(batch, (), {})
        assert await site.outbox.take(10, Lane.LIVE) is None
        assert await site.outbox.take(10, Lane.BACKLOG) is not None


async def test_keeps_the_identity_a_device_gave(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        rows = [flow("node-1", at, float(at), identity=(77, seq)) for at, seq in ((1, 41), (2, 42), (3, 50))]
        await site.outbox.append([*rows, flow("tank-1", 1)], Lane.LIVE)
        (batch,) = await take_all(site.outbox)
    by_device = {
        (key, epoch, seq) for key, epoch, seq in zip(batch.device_keys, batch.epochs, batch.seqs, strict=True)
    }
    assert {("node-1", 77, 41), ("node-1", 77, 42), ("node-1", 77, 50)} < by_device


async def test_a_waiting_uplink_hears_of_new_rows(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        waiting = asyncio.create_task(site.outbox.wait_for_rows())
        await asyncio.sleep(0)
        assert not waiting.done()
        await site.outbox.offer(flows("tank-1", 1, 1))
        await asyncio.wait_for(waiting, 5)
        assert await site.outbox.take(10, Lane.LIVE) is not None


async def test_a_refused_row_comes_back_alone_and_is_set_aside_in_the_end(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        (batch,) = await take_all(site.outbox)
        await site.outbox.settle(batch, {0, 1, 2, 3, 5, 6, 7, 8, 9}, {4: "out of range"})
        for _ in range(ATTEMPTS_BEFORE_DEAD_LETTER - 1):
            await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
            again = await site.outbox.take(10, Lane.LIVE)
            assert again is not None
            assert (again.seqs, again.columns[0]) == ([5], [5.0])
            await site.outbox.settle(again, (), {0: "out of range"})
        assert await take_all(site.outbox) == []
        assert site.outbox.state().dead_letters == 1
        assert site.outbox.state().rows == 1


async def test_refusals_are_counted_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    for life in range(ATTEMPTS_BEFORE_DEAD_LETTER):
        async with site_at(path) as site:
            if life == 0:
                await site.outbox.append(flows("tank-1", 1, 1), Lane.LIVE)
            (batch,) = await take_all(site.outbox)
            await site.outbox.settle(batch, (), {0: "no"})
    async with site_at(path) as site:
        assert await take_all(site.outbox) == []
        assert site.outbox.state().dead_letters == 1


async def test_a_refused_row_that_is_stored_later_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 2), Lane.LIVE)
        (batch,) = await take_all(site.outbox)
        await site.outbox.settle(batch, {0}, {1: "not yet"})
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        (again,) = await take_all(site.outbox)
        await site.outbox.settle(again, {0}, {})
        assert site.outbox.state().rows == 0
    async with site_at(path) as site:
        assert site.outbox.state().rows == 0


async def test_a_second_hub_on_the_same_file_is_told_so(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db"):
        other = Site(tmp_path / "outbox.db")
        with pytest.raises(OperatorNeeded, match="another hub"):
            await other.outbox.run()


async def test_says_how_it_stands(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        (batch,) = await take_all(site.outbox)
        await site.outbox.settle(batch, range(4), {})
        state = site.outbox.state()
    assert (state.rows, state.appended, state.settled, state.dead_letters) == (6, 10, 4, 0)
    assert state.oldest_recorded_at_ms == START_MS + 1000
    assert state.bytes_on_disk > 0
    assert state.capacity_s is not None
    assert not state.is_degraded


async def test_offer_waits_while_memory_is_full_and_the_disk_is_well(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db", memory_rows=10, commit_interval_s=3600.0) as site:
        for number in range(1, 10):
            await asyncio.wait_for(site.outbox.offer(flows("tank-1", 7 * number, 7 * number + 6)), 5)
        cloud = Cloud()
        await commit(site)
        await send_all(site.outbox, cloud)
    assert cloud.values("tank-1") == [float(number) for number in range(7, 70)]
    assert cloud.unexplained() == []


async def commit(site: Site) -> None:
    """Return when everything offered so far is on disk."""
    await site.outbox.append([reading(HUB, "heartbeat", 0)], Lane.ALARM)
