"""Rows that rest: kept on disk, not lent for a while, in nobody's way; and rows refused beyond all room."""

import asyncio
from pathlib import Path

import pytest

from hub.outbox.leases import RESTING, WAKEN_AT_ONCE, Chunk, Shelf
from hub.outbox.records import FailedHead
from hub.outbox.refusals import Refusals
from hub.ports import Batch
from shared_schema.enums import Lane
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from tests.hub.outbox.site import Cloud, Site, flow, flows, send_all, site_at, take_all

LONG_S = 3600.0


async def taken(site: Site, limit: int = 1000, lane: int = Lane.LIVE) -> Batch:
    batch = await site.outbox.take(limit, lane)
    assert batch is not None
    return batch


async def test_rows_that_rest_are_not_lent_and_others_of_their_chunk_are(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append([*flows("tank-1", 1, 3), *flows("tank-9", 1, 3)], Lane.LIVE)
        first = await taken(site, limit=4)
        is_known = [key == "tank-1" for key in first.device_keys]
        await site.outbox.settle(first, [at for at, known in enumerate(is_known) if known], {}, LONG_S)
        (others,) = await take_all(site.outbox)
        assert len(others) == 2
        await site.outbox.settle(others, (), {}, LONG_S)
        assert await take_all(site.outbox) == []
        assert site.outbox.state().rows == 6 - sum(is_known)
        await site.outbox.append(flows("tank-1", 4, 4), Lane.LIVE)
        assert [list(batch.seqs) for batch in await take_all(site.outbox)] == [[4]]


async def test_a_rest_ends_at_its_time_and_wakes_who_waits_and_the_rows_come_as_backlog(
    tmp_path: Path,
) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
        await site.outbox.settle(await taken(site), {0, 3}, {}, 0.05)
        assert await take_all(site.outbox) == []
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        assert await site.outbox.take(10, Lane.LIVE) is None
        again = await taken(site, lane=Lane.BACKLOG)
        assert list(again.seqs) == [2, 3, 5]
        await site.outbox.settle(again, range(3), {})
        assert site.outbox.state().rows == 0


async def test_a_rest_ends_before_its_time_when_what_was_waited_for_is_there(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 3), Lane.LIVE)
        await site.outbox.settle(await taken(site), {0}, {}, LONG_S)
        waiting = asyncio.create_task(site.outbox.wait_for_rows())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await site.outbox.end_rests()
        await asyncio.wait_for(waiting, 5)
        again = await taken(site, lane=Lane.BACKLOG)
        assert list(again.seqs) == [2, 3]
        await site.outbox.settle(again, (), {}, LONG_S)
        assert await take_all(site.outbox) == []
        assert site.outbox.state().rows == 2


async def test_a_restart_forgets_that_rows_rested_and_loses_none(tmp_path: Path) -> None:
    path, cloud = tmp_path / "outbox.db", Cloud()
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 6), Lane.LIVE)
        batch = await taken(site)
        cloud.store(batch, [0, 1])
        await site.outbox.settle(batch, {0, 1}, {}, LONG_S)
    async with site_at(path) as site:
        await send_all(site.outbox, cloud)
        assert site.outbox.state().rows == 0
    assert cloud.values("tank-1") == [float(number) for number in range(1, 7)]
    assert cloud.repeats == 0


async def test_rows_that_rest_give_way_like_others_when_the_outbox_is_full(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db", max_rows=200) as site:
        for first in range(1, 301, 20):
            await site.outbox.append(
                [flow("tank-1", 60_000 * at, float(at)) for at in range(first, first + 20)], Lane.LIVE
            )
            for batch in await take_all(site.outbox, [Lane.LIVE, Lane.BACKLOG]):
                await site.outbox.settle(batch, (), {}, LONG_S)
        async with asyncio.timeout(10):
            while not site.outbox.state().losses or site.outbox.state().rows > 250:
                await site.outbox.append([flow("tank-1", 0)], Lane.ALARM)
                await asyncio.sleep(0.01)
    async with site_at(site.path) as site:
        await send_all(site.outbox, cloud)
    assert cloud.unexplained() == []


async def test_a_refused_row_that_comes_back_may_rest_too(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 1), Lane.LIVE)
        await site.outbox.settle(await taken(site), (), {0: "no"})
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        await site.outbox.settle(await taken(site), (), {}, 0.05)
        assert await take_all(site.outbox) == []
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        await site.outbox.settle(await taken(site), {0}, {})
        assert site.outbox.state().rows == 0


async def test_rows_refused_beyond_the_room_for_them_stay_and_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.outbox.service.LOOK_S", 0.05)
    async with site_at(tmp_path / "outbox.db") as site:
        refusals = site.outbox._stock.refusals  # a site has room for thousands
        refusals.most_tried = 3
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        await site.outbox.settle(await taken(site), {0, 1}, dict.fromkeys(range(2, 10), "no"))
        assert refusals.is_full
        assert len(refusals.rows) == 3
        assert site.outbox.state().rows == 8
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        assert sum(len(batch) for batch in await take_all(site.outbox)) == 3
        await asyncio.wait_for(until_raised(site, "refusals_full"), 20)
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await send_all(site.outbox, cloud)
        assert site.outbox.state().rows == 0
    assert cloud.values("tank-1") == [float(number) for number in range(3, 11)]


async def until_raised(site: Site, code: str) -> None:
    while code not in site.events.raised:
        await site.outbox.append([flow("tank-2", 0)], Lane.ALARM)
        await asyncio.sleep(0.05)


def test_refused_rows_are_lent_when_due_one_kind_at_a_time() -> None:
    refusals = Refusals(60.0)
    refusals.load([FailedHead(1, "tank", 1, 0), FailedHead(2, "flow", 1, 0), FailedHead(3, "tank", 1, 0)])
    assert refusals.next_due_s() == 0.0
    assert refusals.lend(1.0, 10) == [1, 3]
    refusals.give_back([1, 3], 50.0)
    assert refusals.lend(1.0, 10) == [2]
    assert refusals.next_due_s() == 50.0
    assert refusals.lend(49.0, 10) == []
    refusals.forget([1])
    assert refusals.lend(50.0, 10) == [3]
    assert refusals.next_due_s() is None


def test_there_is_room_again_for_refused_rows_when_an_operator_purged_some() -> None:
    dead = [FailedHead(at, "tank", ATTEMPTS_BEFORE_DEAD_LETTER, 0) for at in range(1, 4)]
    refusals = Refusals(60.0, most_kept=4)
    refusals.load([*dead, FailedHead(4, "tank", 1, 0)])
    assert refusals.is_full
    assert refusals.admitted({0: "no", 1: "no"}) == {}
    refusals.forget([1])
    assert refusals.admitted({0: "no", 1: "no"}) == {0: "no"}


def test_many_rests_that_end_together_end_step_by_step() -> None:
    shelf = Shelf(lambda _: False)
    many = WAKEN_AT_ONCE + 10
    for chunk_id in range(1, many + 1):
        shelf.add(Chunk(chunk_id, Lane.LIVE, 1, 0, 0, 2, 0, 1, 10))
    shelf.give_back(shelf.lend(Lane.LIVE, 2 * many), lambda _: RESTING, 100.0)
    assert all(chunk.states is None for chunk in shelf.chunks.values())
    assert len(list(shelf.idle())) == many
    shelf.wake(99.0)
    assert not shelf.has_something()
    shelf.wake(100.0)
    assert sum(chunk.free for chunk in shelf.chunks.values()) == 2 * WAKEN_AT_ONCE
    assert shelf.next_due_s() == 100.0
    shelf.wake(100.0)
    assert sum(len(segment.positions) for segment in shelf.lend(Lane.BACKLOG, 2 * many)) == 2 * many
    assert shelf.next_due_s() is None


def test_a_chunk_of_which_parts_rest_is_not_lent_before_the_longest_is_over() -> None:
    shelf = Shelf(lambda _: False)
    shelf.add(Chunk(1, Lane.ALARM, 1, 0, 0, 4, 0, 1, 10))
    first, second = shelf.lend(Lane.ALARM, 2), shelf.lend(Lane.ALARM, 2)
    shelf.give_back(first, lambda _: RESTING, 10.0)
    shelf.give_back(second, lambda _: RESTING, 20.0)
    shelf.wake(15.0)
    assert not shelf.has_something()
    assert shelf.next_due_s() == 20.0
    shelf.wake(20.0)
    assert not shelf.lend(Lane.ALARM, 9)
    assert [list(segment.positions) for segment in shelf.lend(Lane.BACKLOG, 9)] == [[0, 1, 2, 3]]
