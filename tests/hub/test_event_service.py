import asyncio
import logging
from collections.abc import Sequence

import pytest

from hub import event_service
from hub.errors import TryAgain
from hub.event_service import EventService
from hub.events import EventBook
from hub.ports import Reading
from shared_schema.enums import Lane
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_sink import FakeSink


def service(clock: FakeClock) -> EventService:
    return EventService("hub-1", clock, EventBook(new_id=lambda: "id1"))


async def test_stamps_an_event_with_the_moment_it_was_raised() -> None:
    clock, sink = FakeClock(), FakeSink()
    events = service(clock)
    raised_ms = clock.wall_ms()
    events.raise_event("error", "bus_down", "no answer")
    clock.advance(40.0)
    await events.deliver(sink)
    assert [(row.recorded_at_ms, row.values[1], lane) for row, lane in sink.appended] == [
        (raised_ms, "bus_down", Lane.ALARM)
    ]


async def test_news_waits_for_the_group_commit() -> None:
    sink = FakeSink()
    events = service(FakeClock())
    events.raise_event("info", "clock_known", "from the wall clock")
    await events.deliver(sink)
    assert [row.values[1] for row in sink.offered] == ["clock_known"]
    assert sink.appended == []


async def test_delivers_what_comes_before_and_while_it_runs() -> None:
    sink = FakeSink()
    events = service(FakeClock())
    events.raise_event("error", "first", "before")
    running = asyncio.create_task(events.run(sink))
    async with asyncio.timeout(5):
        await sink.arrived.wait()
        sink.arrived.clear()
        events.raise_event("error", "second", "while")
        await sink.arrived.wait()
    running.cancel()
    assert [row.values[1] for row, _ in sink.appended] == ["first", "second"]


class BrokenSink(FakeSink):
    """Loses its disk while it stores."""

    async def append(self, rows: object, lane: int) -> None:
        raise OSError(28, "no space left")


class FullSink(FakeSink):
    """Takes no alarm until it is told that there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.has_refused = asyncio.Event()
        self.is_full = True

    async def append(self, rows: Sequence[Reading], lane: int) -> None:
        if self.is_full:
            self.has_refused.set()
            raise TryAgain("the disk is full", where="outbox.db")
        await super().append(rows, lane)


async def test_goes_on_when_disk_and_memory_are_full_and_reports_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_service, "CATCH_UP_S", 0.01)
    sink = FullSink()
    events = service(FakeClock())
    running = asyncio.create_task(events.run(sink))
    events.raise_event("error", "disk_full", "free some space")
    async with asyncio.timeout(5):
        await sink.has_refused.wait()
        sink.is_full = False
        await sink.arrived.wait()
    assert not running.done()
    running.cancel()
    assert [row.values[1] for row, _ in sink.appended] == ["disk_full"]


async def test_a_report_that_is_not_stored_goes_on_waiting() -> None:
    events, sink = service(FakeClock()), FakeSink()
    events.raise_event("error", "bus_down", "no answer")
    with pytest.raises(OSError, match="no space"):
        await events.deliver(BrokenSink())
    await events.deliver(sink)
    assert len(sink.appended) == 1


def test_logs_once_with_the_id_of_the_trouble(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    events = service(clock)
    caplog.set_level(logging.INFO, "penstock.events")
    for _ in range(3):
        events.raise_event("warning", "stale_data", "silent", device_key="tank-1")
    clock.advance(65.0)
    events.clear_event("stale_data", device_key="tank-1")
    events.clear_event("stale_data", device_key="tank-1")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "stale_data: tank-1: silent"),
        ("INFO", "stale_data: tank-1: over after 65 s"),
    ]
    assert {record.__dict__["correlation_id"] for record in caplog.records} == {"id1"}


def test_a_log_line_names_its_device_once(caplog: pytest.LogCaptureFixture) -> None:
    service(FakeClock()).raise_event("warning", "stale_data", "tank-1 is silent", device_key="tank-1")
    assert [record.getMessage() for record in caplog.records] == ["stale_data: tank-1 is silent"]


def test_a_level_nobody_knows_is_an_error() -> None:
    events = service(FakeClock())
    events.raise_event("fatal", "bus_down", "no answer")
    assert [trouble.level for trouble in events.book.active] == ["error"]
