"""One wake of a node on a battery: it samples, dials when it is time, and sleeps.

When is what: battery.py. What a wake leaves to the next lies in RTC memory (sleep_state.py), with the events
that no hub has heard; its rows lie in the ring. A broadcasting node dials when it was switched on or reset,
to be told things; otherwise its readings go on the air and into no ring, as nobody acknowledges them.
"""

import asyncio

from firmware.node import slots
from firmware.node.battery import BatteryMode, Rules
from firmware.node.sleep_state import SleepState, decode
from firmware.node.trial import ResetCause
from shared_schema.reports import decode_event

STEP_S = 0.1
NOT_MEASURED_MV = 0xFFFF  # a board that does not know its battery takes it for full


class Waking:
    """The wake of this boot. is_over: nothing is left to do but sleep()."""

    def __init__(self, node) -> None:
        settings = node.configuration.settings
        self._node = node
        self._mode = BatteryMode(Rules(**settings.battery))
        self._is_broadcasting = settings.is_broadcasting
        self._mv = node.board.battery_mv() or NOT_MEASURED_MV
        self._state = self._recalled() or SleepState()
        self._is_fresh = not self._mode.restore(self._state.rhythm)
        for said in self._state.events:
            event = decode_event(said)
            node.events.tell(event.level, event.code, event.text)
        self._resume_clock()
        self._woke_ms = node.ticks.now_ms()
        self._is_asked = False
        self.is_over = False

    async def run(self) -> None:
        """Do what is due."""
        node, now_ms = self._node, self._node.board.rtc_ms
        if self._is_broadcasting and not self._is_fresh:
            node.sampling.write = self._broadcast
        node.sampling.begin()
        if self._mode.is_sample_due(now_ms()):
            await self._sample()
            self._mode.sampled(now_ms(), self._mv)
        may_dial = self._is_fresh or not self._is_broadcasting
        if may_dial and self._mode.is_dial_due(now_ms(), node.ring.rows_waiting, self._mv):
            await self._dial()
        self.is_over = True

    def sample_now(self) -> None:
        """Sample once more in this wake, which a hub asked for; the rhythm stays."""
        self._is_asked = True

    def sleep(self) -> None:
        """Keep what the next wake needs and switch off; does not return on a board."""
        node, state = self._node, self._state
        now_ms = node.board.rtc_ms()
        state.rhythm = self._mode.state()
        state.keep(node.events.waiting)
        if node.clock.is_known:
            state.offset_ms = node.clock.unix_ms(node.ticks.now_ms()) - now_ms
        node.board.keep(state.encode())
        node.board.deep_sleep_ms(self._mode.sleep_ms(now_ms))

    async def _sample(self) -> None:
        await self._node.sampling.sample_all()
        self._state.row_at_ms = self._node.board.rtc_ms()
        self._node.flush(self._node.ticks.now_ms())

    def _recalled(self):
        """Return the state after a sleep. After any other reset its clock may have begun anew."""
        if self._node.start.cause != ResetCause.SLEEP:
            return None
        return decode(self._node.board.kept())

    def _resume_clock(self) -> None:
        """Let time have gone on while nobody counted it."""
        node, state = self._node, self._state
        now_ms = node.board.rtc_ms()
        if state.offset_ms:
            node.clock.offset_ms = state.offset_ms + now_ms - node.ticks.now_ms()
        elif state.row_at_ms:  # the ring goes on behind its last row
            node.ticks.skip(max(0, now_ms - state.row_at_ms))

    async def _dial(self) -> None:
        node = self._node
        tasks = [asyncio.create_task(node.network.run()), asyncio.create_task(node.uplink.run())]
        try:
            while not self._may_sleep(node.ticks.now_ms()):
                await node.sampling.try_wanted()
                if self._is_asked:
                    self._is_asked = False
                    await self._sample()
                node.progress.made(node.ticks.now_ms())  # a wake ends by its own limits
                for task in tasks:
                    if task.done():
                        await task  # raises what ended it
                await asyncio.sleep(STEP_S)
        finally:
            await _end(tasks)
        is_reached = node.welcomed_ms is not None and not node.ring.rows_waiting
        self._mode.dialled(node.board.rtc_ms(), is_reached, self._mv)
        if is_reached:
            _forget_fast_resets(node)

    def _may_sleep(self, now_ms: int) -> bool:
        node = self._node
        return self._mode.may_sleep(
            now_ms - self._woke_ms,
            True,
            node.welcomed_ms is not None,
            node.ring.rows_waiting,
            now_ms - node.told_ms,
            node.update.wanted() is not None,
        )

    def _broadcast(self, group, _now_ms: int, values, _quality: int) -> None:
        from firmware.node.broadcast import broadcast  # noqa: PLC0415 - few nodes have it in memory

        broadcast(self._node, self._state, group.sensors, values)


async def _end(tasks) -> None:
    """Cancel tasks and let them close what they have open."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            pass


def _forget_fast_resets(node) -> None:
    """A boot that reached the hub is a good one, although it is too short for boot.py to call it so."""
    pointer = slots.load(node.start.root)
    if pointer.fast_resets:
        pointer.fast_resets = 0
        try:
            slots.store(node.start.root, pointer)
        except OSError as error:
            node.events.trouble("flash_failed", "slots", repr(error))
