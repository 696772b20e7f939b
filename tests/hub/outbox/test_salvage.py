"""Bringing over a damaged outbox, begun, interrupted and begun again."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hub.outbox.salvage import DONE
from hub.outbox.salvage_service import SalvageService
from hub.outbox.sqlite_io import SqliteDisk
from hub.outbox.work import Work
from shared_schema.enums import Lane
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_events import FakeEvents
from tests.hub.outbox.site import flows, settings, site_at
from tests.hub.outbox.test_outbox import commit


async def wreck_with_refused_rows(path: Path) -> str:
    """Make an outbox of which the cloud stored a chunk but for two rows; return it set aside."""
    async with site_at(path, retry_after_s=3600.0) as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        batch = await site.outbox.take(10, Lane.LIVE)
        assert batch is not None
        await site.outbox.settle(batch, range(8), {8: "no", 9: "no"})
        await commit(site)
        await site.outbox.append(flows("tank-1", 11, 15), Lane.LIVE)
    aside = Path(f"{path}.corrupt-1")
    await asyncio.to_thread(path.rename, aside)
    return str(aside)


async def salvaged(path: Path, progress: dict[str, int]) -> list[Work]:
    works: list[Work] = []

    async def write(work: Work) -> None:
        works.append(work)

    disk, clock = SqliteDisk(str(path)), FakeClock()
    service = SalvageService(settings(path), disk, clock, FakeEvents(), write)
    await service.run_once(progress)
    return works


@pytest.mark.parametrize("done", [0, 1])
async def test_refused_rows_come_over_even_when_the_hub_ended_in_between(tmp_path: Path, done: int) -> None:
    path = tmp_path / "outbox.db"
    aside = await wreck_with_refused_rows(path)
    works = await salvaged(path, {aside: done})
    assert [row.seq for work in works for row in work.failed] == [9, 10]
    assert works[-1].salvage_progress == (aside, DONE)


async def test_a_damaged_list_of_what_was_sent_costs_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    async with site_at(path) as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        batch = await site.outbox.take(10, Lane.LIVE)
        assert batch is not None
        await site.outbox.settle(batch, range(8), {})
        await commit(site)
        await asyncio.to_thread(_spoil_states, path)
    aside = Path(f"{path}.corrupt-1")
    await asyncio.to_thread(path.rename, aside)
    works = await salvaged(path, {})
    streams = [stream for work in works for each in work.imports for stream in each.streams]
    assert ("tank-1", 1, 10) in [(key, first, rows) for key, _, first, rows in streams]
    assert [loss for work in works for loss in work.losses] == []


def _spoil_states(path: Path) -> None:
    other = sqlite3.connect(path)
    with other:
        changed = other.execute("update states set rows = x'07ff'").rowcount
    other.close()
    assert changed == 1
