import asyncio

from hub.clock import CameToBeKnown, ClockSettings, ClockTruth
from hub.clock_io import SystemClock
from hub.clock_service import UNKNOWN_TOO_LONG_S, ClockService
from tests.fakes.fake_events import FakeEvents

BOOT_MS = 1_800_000_000_000


class Machine:
    """Clocks of a machine that a test sets."""

    def __init__(self) -> None:
        self.boot_s = 10.0
        self.wrong_s = 0.0
        self.is_synced = False
        self.events = FakeEvents()
        self.known: list[CameToBeKnown] = []
        self.clock = SystemClock(
            ClockTruth(ClockSettings("cloud")),
            boot_s=lambda: self.boot_s,
            wall_s=lambda: BOOT_MS / 1000 + self.boot_s + self.wrong_s,
            is_synced=lambda: self.is_synced,
        )
        self.service = ClockService(self.clock, self.events, self.note)

    async def note(self, known: CameToBeKnown) -> None:
        self.known.append(known)

    def answer(self) -> None:
        """Let the cloud answer with the true time."""
        date_ms = int(BOOT_MS + self.boot_s * 1000) // 1000 * 1000
        self.service.hint(date_ms, self.boot_s - 0.1, self.boot_s)


async def test_tells_once_per_boot_when_the_time_is_known() -> None:
    machine = Machine()
    await machine.service.look()
    assert machine.known == []
    machine.is_synced = True
    for _ in range(3):
        await machine.service.look()
    assert [known.offset_ms for known in machine.known] == [BOOT_MS]
    assert machine.events.raised == ["clock_known"]


async def test_warns_when_nobody_vouches_for_the_clock_and_stops_when_somebody_does() -> None:
    machine = Machine()
    await machine.service.look()
    assert machine.events.active == {}
    machine.boot_s += UNKNOWN_TOO_LONG_S + 1
    await machine.service.look()
    assert machine.events.active == {("clock_unknown", None): "warning"}
    machine.is_synced = True
    await machine.service.look()
    assert ("clock_unknown", None) not in machine.events.active


async def test_reports_a_step() -> None:
    machine = Machine()
    machine.is_synced = True
    await machine.service.look()
    machine.wrong_s = -7200.0
    await machine.service.look()
    assert ("clock_stepped", None) in machine.events.active


async def test_warns_while_the_cloud_says_another_time() -> None:
    machine = Machine()
    machine.is_synced, machine.wrong_s = True, 3600.0
    for _ in range(3):
        machine.boot_s += 1.0
        machine.answer()
        await machine.service.look()
    assert machine.events.active["clock_disagrees", None] == "warning"
    machine.wrong_s = 0.0
    await machine.service.look()
    assert ("clock_disagrees", None) not in machine.events.active


async def test_answers_of_the_cloud_wake_it_while_the_time_is_unknown() -> None:
    machine = Machine()
    machine.wrong_s = -9e8
    running = asyncio.create_task(machine.service.run())
    async with asyncio.timeout(5):
        while not machine.known:
            machine.boot_s += 0.1
            machine.answer()
            await asyncio.sleep(0)
    running.cancel()
    assert abs(machine.known[0].offset_ms - BOOT_MS) < 1000
