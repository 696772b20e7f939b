"""The real outbox on disk, the uplink and a cloud, with faults between them: nothing lost, nothing twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from hub.outbox.service import Outbox
from hub.outbox.settings import OutboxSettings
from hub.outbox.sqlite_io import SqliteDisk
from hub.ports import Reading, Stamp
from hub.uplink.file_io import SmallFile
from hub.uplink.http_io import HttpTransport
from hub.uplink.service import UplinkService
from hub.uplink.settings import UplinkSettings
from shared_schema.enums import Lane, TimeQuality
from tests.fakes.event_list import EventList
from tests.fakes.table_cloud import TableCloud
from tests.tools.local_cloud.hub import Hub
from tools.local_cloud.process_io import CloudProcess
from tools.sim.fault_proxy import FaultProxy

DEADLINE_S = 60.0
FAULTS = ("status", "answer-lost", "half", "cut", "reset", "answer-never")


class RealClock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def stamp(self, monotonic_s: float) -> Stamp:
        since_s = time.monotonic() - monotonic_s
        return Stamp(round((time.time() - since_s) * 1000), TimeQuality.SYNCED)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  the condition is about many objects
            await asyncio.sleep(0.005)


def reading(key: str, value: float, kind: str = "tank") -> Reading:
    now_ms = time.time_ns() // 1_000_000
    if kind == "heartbeat":
        return Reading(key, kind, now_ms, (value, None, None, None, 5, 0, "ethernet", *[None] * 5))
    return Reading(key, kind, now_ms, (value, 2000, None, None, None, None))


class Working:
    """An outbox and an uplink at work."""

    def __init__(self, folder: Path, proxy: FaultProxy, *, api_key: str, hub_key: str, secret: str) -> None:
        self.events = EventList()
        clock = RealClock()
        path = str(folder / "outbox.db")
        stored = OutboxSettings(path, hub_key, "boot", commit_interval_s=0.02)
        self.outbox = Outbox(stored, SqliteDisk(path), clock, self.events)
        self.transport = HttpTransport(proxy.url, api_key, clock.monotonic_s, timeout_s=2.0)
        settings = UplinkSettings(proxy.url, hub_key, secret, retry_base_s=0.05, retry_max_s=0.2)
        self.uplink = UplinkService(
            self.outbox,
            self.transport,
            clock,
            self.events,
            settings,
            directory_file=SmallFile(folder / "directory.json"),
        )

    async def until_sent(self, rows: int) -> None:
        await until(lambda: self.outbox.state().appended >= rows and self.outbox.state().rows == 0)


@asynccontextmanager
async def working(folder: Path, proxy: FaultProxy, **who: str) -> AsyncIterator[Working]:
    built = Working(folder, proxy, **who)
    async with built.transport, asyncio.TaskGroup() as group:
        outbox = group.create_task(built.outbox.run())
        uplink = group.create_task(built.uplink.run())
        yield built
        uplink.cancel()
        await asyncio.gather(uplink, return_exceptions=True)
        outbox.cancel()


async def offer_through_faults(site: Working, proxy: FaultProxy, keys: list[str], rounds: int) -> int:
    """Offer readings of every device while one fault follows the other; return how many."""
    offered = 0
    await until(lambda: site.uplink.state().is_online)
    for step in range(rounds):
        name = FAULTS[step % len(FAULTS)]
        proxy.fault(name, times=None if name == "cut" else 1, path="/rest/v1/telemetry")
        hits = proxy.hits[name]
        rows = [reading(key, float(index % 90)) for index in range(40) for key in keys]
        await site.outbox.offer(rows)
        await site.outbox.append([reading(keys[0], 1.0, "heartbeat")], Lane.ALARM)
        offered += len(rows) + 1
        if name == "cut":
            await until(lambda: not site.uplink.state().is_online)
        else:
            await until(lambda: proxy.hits[name] > hits)  # noqa: B023
        proxy.clear()
        await proxy.settled()
    return offered


async def test_every_row_reaches_a_cloud_through_every_fault(tmp_path: Path) -> None:
    async with TableCloud({"hub": 1, "tank-1": 11, "tank-2": 12}) as cloud, FaultProxy(cloud.url) as proxy:
        who = {"api_key": cloud.api_key, "hub_key": "hub", "secret": cloud.secret}
        async with working(tmp_path, proxy, **who) as site:
            offered = await offer_through_faults(site, proxy, ["tank-1", "tank-2"], 2 * len(FAULTS))
            await site.until_sent(offered)
            assert site.uplink.state().rows_stored >= offered
    identities = cloud.identities() | cloud.identities("device_heartbeats")
    assert len(identities) == offered == len(cloud.rows()) + len(cloud.rows("device_heartbeats"))
    for key in ("tank-1", "tank-2"):
        seqs = sorted(seq for device, _, seq in identities if device == key)
        assert seqs == list(range(1, len(seqs) + 1))
    assert cloud.copies > 0


async def test_rows_left_at_a_stop_are_sent_by_the_next_start(tmp_path: Path) -> None:
    async with TableCloud({"hub": 1, "tank-1": 11}) as cloud, FaultProxy(cloud.url) as proxy:
        who = {"api_key": cloud.api_key, "hub_key": "hub", "secret": cloud.secret}
        async with working(tmp_path, proxy, **who) as site:
            await site.outbox.offer([reading("tank-1", 1.0) for _ in range(2500)])
            await until(lambda: len(cloud.rows()) > 0)
            proxy.fault("black-hole")
            await site.outbox.offer([reading("tank-1", 2.0) for _ in range(500)])
            await until(lambda: site.outbox.state().appended == 3000)
        proxy.clear()
        async with working(tmp_path, proxy, **who) as site:
            await until(lambda: len(cloud.rows()) == 3000)
            await until(lambda: site.outbox.state().rows == 0)
        assert {seq for _, _, seq in cloud.identities()} == set(range(1, 3001))


async def test_a_poison_row_ends_as_a_dead_letter_and_the_others_arrive(tmp_path: Path) -> None:
    async with TableCloud({"hub": 1, "tank-1": 11}) as cloud, FaultProxy(cloud.url) as proxy:
        who = {"api_key": cloud.api_key, "hub_key": "hub", "secret": cloud.secret}
        cloud.devices["tank-9"] = 99
        async with working(tmp_path, proxy, **who) as site:
            await until(lambda: site.uplink.state().is_online)
            del cloud.devices["tank-9"]
            rows = [reading("tank-9" if index == 500 else "tank-1", 1.0) for index in range(1000)]
            await site.outbox.offer(rows)
            await until(lambda: len(cloud.rows()) == 999)
            await until(lambda: site.uplink.state().rows_rejected >= 1)
            assert site.outbox.state().rows == 1
            assert "rows_refused" in site.events.codes()


async def test_rows_of_a_device_registered_later_rest_on_disk_and_all_arrive(tmp_path: Path) -> None:
    async with TableCloud({"hub": 1, "tank-1": 11}) as cloud, FaultProxy(cloud.url) as proxy:
        who = {"api_key": cloud.api_key, "hub_key": "hub", "secret": cloud.secret}
        async with working(tmp_path, proxy, **who) as site:
            for _ in range(5):
                await site.outbox.offer(
                    [reading(key, 1.0) for _ in range(600) for key in ("tank-1", "tank-9")]
                )
            await until(lambda: len(cloud.rows()) == 3000)
            await until(lambda: site.outbox.state().rows == 3000)
            assert site.outbox.state().dead_letters == 0
            assert ("device_unregistered", "tank-9") in site.events.open
        cloud.devices["tank-9"] = 19
        async with working(tmp_path, proxy, **who) as site:
            await until(lambda: len(cloud.rows()) == 6000)
            await until(lambda: site.outbox.state().rows == 0)
            assert not site.events.open
    assert {identity[2] for identity in cloud.identities() if identity[0] == "tank-9"} == set(range(1, 3001))
    assert cloud.copies == 0


async def test_every_row_reaches_the_local_cloud_through_every_fault(
    tmp_path: Path, local_cloud: CloudProcess
) -> None:
    known = Hub(local_cloud)
    async with FaultProxy(local_cloud.url) as proxy:
        who = {"api_key": local_cloud.publishable_key, "hub_key": known.key, "secret": known.secret}
        async with working(tmp_path, proxy, **who) as site:
            offered = await offer_through_faults(site, proxy, [known.tank_key], len(FAULTS))
            await site.until_sent(offered)
            assert not [event for event in site.events.open.values() if event.code != "rows_refused"]
    found = local_cloud.admin.completeness(known.tank_key)
    assert [(row.rows_stored, row.duplicates, row.unexplained_gaps) for row in found] == [(offered, 0, 0)]


async def test_the_local_cloud_refuses_single_rows_and_stores_the_rest(
    tmp_path: Path, local_cloud: CloudProcess
) -> None:
    known = Hub(local_cloud)
    async with FaultProxy(local_cloud.url) as proxy:
        who = {"api_key": local_cloud.publishable_key, "hub_key": known.key, "secret": known.secret}
        async with working(tmp_path, proxy, **who) as site:
            rows = [reading(known.tank_key, 99_999.0 if index == 123 else 10.0) for index in range(300)]
            await site.outbox.offer(rows)
            await until(lambda: site.uplink.state().rows_rejected == 1)
            assert any("23514" in event.message for event in site.events.raised)
    found = local_cloud.admin.completeness(known.tank_key)
    assert [(row.rows_stored, row.duplicates, row.rows_unexplained) for row in found] == [(299, 0, 1)]
