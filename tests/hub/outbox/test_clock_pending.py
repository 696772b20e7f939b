"""Rows from before the clock was known: held, placed, and never changed after they were first lent."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.outbox.boots import Boot, place_ended
from shared_schema.enums import Lane, TimeQuality
from tests.hub.outbox.site import START_MS, Site, flow, flows, site_at, take_all
from tests.hub.outbox.test_outbox import commit
from tests.hub.outbox.test_trouble import until


def pending(first: int, last: int) -> list:  # type: ignore[type-arg]
    return [
        row._replace(recorded_at_ms=1000 * number, time_quality=TimeQuality.PENDING)
        for number, row in enumerate(flows("tank-1", first, last), first)
    ]


async def test_rows_of_a_boot_without_a_clock_are_held_and_placed_once_it_is_known(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(pending(1, 3), Lane.LIVE)
        await site.outbox.append([flow("tank-2", 5)], Lane.LIVE)
        (other,) = await take_all(site.outbox)
        assert other.device_keys == ["tank-2"]
        await site.outbox.set_boot_clock("boot-1", START_MS, TimeQuality.CORRECTED)
        await until(site.outbox._stock.shelf.has_something)
        (batch,) = await take_all(site.outbox)
    assert batch.recorded_at_ms == [START_MS + 1000, START_MS + 2000, START_MS + 3000]
    assert list(batch.time_qualities) == [TimeQuality.CORRECTED] * 3


async def test_the_clock_may_be_known_before_the_outbox_is_open(tmp_path: Path) -> None:
    async with site_at(tmp_path / "first.db") as site:
        await site.stop()
        site.start()
        await site.outbox.set_boot_clock("boot-1", START_MS, TimeQuality.CORRECTED)
        await site.open()
        await site.outbox.append(pending(1, 1), Lane.LIVE)
        assert sum(len(batch) for batch in await take_all(site.outbox)) == 1


async def test_a_placed_boot_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    async with site_at(path) as site:
        await site.outbox.append(pending(1, 1), Lane.LIVE)
        await site.outbox.set_boot_clock("boot-1", START_MS, TimeQuality.CORRECTED)
        await until(site.outbox._stock.shelf.has_something)
        (before,) = await take_all(site.outbox)
        await site.cut_power(tmp_path / "after" / "outbox.db")
        await site.outbox.set_boot_clock("boot-1", START_MS + 999_999, TimeQuality.CORRECTED)
        await commit(site)
        (after,) = [batch for batch in await take_all(site.outbox) if batch.kind == "flow"]
    assert after.recorded_at_ms == before.recorded_at_ms


async def test_a_boot_that_never_knew_the_clock_is_placed_between_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    async with site_at(path, boot_id="a") as site:
        await site.outbox.append(flows("tank-1", 1, 3), Lane.LIVE)
    async with site_at(path, boot_id="b") as site:
        site.clock.is_known = False
        await site.outbox.append(pending(4, 6), Lane.LIVE)
    site = Site(path, boot_id="c")
    site.clock.is_known = False
    await site.open()
    try:
        assert sum(len(batch) for batch in await take_all(site.outbox)) == 3
        await site.outbox.set_boot_clock("c", START_MS + 60_000, TimeQuality.CORRECTED)
        await until(site.outbox._stock.shelf.has_something)
        (batch,) = await take_all(site.outbox)
    finally:
        await site.stop()
    assert list(batch.time_qualities) == [TimeQuality.ESTIMATED] * 3
    assert batch.recorded_at_ms[0] >= START_MS + 3000
    assert batch.recorded_at_ms[-1] <= START_MS + 60_000


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 10**6), st.none() | st.integers(0, 10**9)), max_size=8),
    st.integers(10**10, 10**11),
)
def test_every_ended_boot_is_placed_in_order_and_before_its_upper_bound(
    sketch: list[tuple[bool, int, int | None]], now_ms: int
) -> None:
    boots, known_ms = [], 10**9
    for number, (is_known, length_ms, not_before_ms) in enumerate(sketch):
        known_ms += 10**7
        boots.append(
            Boot(
                str(number), known_ms if is_known else None, length_ms=length_ms, not_before_ms=not_before_ms
            )
        )
    placed = place_ended(boots, now_ms)
    assert len(placed) == sum(not is_known for is_known, _, _ in sketch)
    for earlier, later in pairwise(boots):
        assert earlier.offset_ms is not None
        assert later.offset_ms is not None
        if int(later.boot_id) in placed or int(earlier.boot_id) in placed:
            assert earlier.offset_ms + earlier.length_ms <= later.offset_ms
