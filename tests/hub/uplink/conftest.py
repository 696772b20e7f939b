"""A hub's uplink with everything around it: a list for an outbox, a proxy that fails, a cloud of tables."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from hub.uplink.exchange import Answer, Failure, Request, Traffic
from hub.uplink.http_io import HttpTransport
from hub.uplink.service import UplinkService
from hub.uplink.settings import UplinkSettings
from tests.fakes.event_list import EventList
from tests.fakes.fake_time import FakeTime
from tests.fakes.list_source import ListSource
from tests.fakes.table_cloud import TableCloud
from tools.sim.fault_proxy import FaultProxy

PATIENT_S = 10.0  # of real time: no machine is so busy that an honest answer takes longer
HASTY_S = 0.3  # for the tests in which an answer never comes


class WatchedTransport:
    """Knows whether a request is under way, so that time stands still meanwhile; asked: when each began."""

    def __init__(self, inner: HttpTransport, time: FakeTime) -> None:
        self._inner = inner
        self._time = time
        self.in_flight = 0
        self.asked: list[tuple[float, Request]] = []

    async def exchange(self, request: Request) -> Answer | Failure:
        self.asked.append((self._time.monotonic_s(), request))
        self.in_flight += 1
        try:
            return await self._inner.exchange(request)
        finally:
            self.in_flight -= 1

    def traffic(self) -> Traffic:
        return self._inner.traffic()


class Site:
    """One uplink at work. Start it with start(), let time pass with until()."""

    def __init__(
        self, cloud: TableCloud, proxy: FaultProxy, transport: HttpTransport, time: FakeTime
    ) -> None:
        self.cloud = cloud
        self.proxy = proxy
        self.time = time
        self.source = ListSource(monotonic_s=time.monotonic_s, sleep=time.sleep)
        self.events = EventList()
        self.transport = WatchedTransport(transport, time)
        self.settings = UplinkSettings(cloud_url=proxy.url, device_key="hub", device_secret="s3cret")
        self.server_times: list[tuple[int, float, float]] = []
        self.service: UplinkService | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> UplinkService:
        self.service = UplinkService(
            self.source,
            self.transport,
            self.time,
            self.events,
            self.settings,
            on_server_time=lambda *moment: self.server_times.append(moment),
            sleep=self.time.sleep,
            chance=lambda: 0.0,
        )
        self._task = asyncio.create_task(self.service.run())
        return self.service

    def is_busy(self) -> bool:
        return self.transport.in_flight > 0

    async def until(self, condition: Callable[[], bool]) -> None:
        def is_met() -> bool:
            assert self._task is not None
            if self._task.done():
                self._task.result()
            return condition()

        await self.time.until(is_met, is_busy=self.is_busy)

    async def until_sent(self) -> None:
        await self.until(lambda: not self.source.rows and not self.is_busy())

    async def until_asked(self, path: str) -> None:
        before = len(self.transport.asked)
        await self.until(lambda: any(path in request.path for _, request in self.transport.asked[before:]))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def assert_exact(self) -> None:
        """What the outbox counts as stored is in the cloud, once, and nothing else is."""
        in_cloud = [key for table in self.cloud.tables for key in self.cloud.identities(table)]
        assert sorted(in_cloud) == sorted(self.source.stored)
        assert sum(len(rows) for rows in self.cloud.tables.values()) == len(self.source.stored)


@pytest.fixture
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """Its parameter, if any, is the time-out of requests in seconds."""
    timeout_s = getattr(request, "param", PATIENT_S)
    time = FakeTime()
    async with (
        TableCloud({"hub": 1, "tank-1": 11, "tank-2": 12}) as cloud,
        FaultProxy(cloud.url) as proxy,
        HttpTransport(proxy.url, cloud.api_key, time.monotonic_s, timeout_s=timeout_s) as transport,
    ):
        built = Site(cloud, proxy, transport, time)
        yield built
        await built.stop()
