"""The node: all its parts, what they share, and the loop that runs them and feeds the watchdog."""

import asyncio

from firmware.node import calibration, health, identity
from firmware.node.clock import Clock, Ticks
from firmware.node.commands import CommandBook, keep_results, recalled_results
from firmware.node.configuration import Configuration
from firmware.node.events import Events
from firmware.node.files import take_text
from firmware.node.network import Network
from firmware.node.passing import forget
from firmware.node.progress import Progress
from firmware.node.ring import Ring
from firmware.node.sampling import Sampling
from firmware.node.settings import CANNOT_SLEEP
from firmware.node.slots import load as load_slots
from firmware.node.totals import Totals
from firmware.node.trial import Trial
from firmware.node.updating import Updating
from firmware.node.uplink import Uplink
from shared_schema.reports import DETAIL_LENGTH, EventLevel

CRASH_FILE = "crash.txt"  # of boot.py
UPKEEP_S = 0.5
WAKE_STEP_S = 0.05
RESTART_AFTER_MS = 2000  # so that the answer to the order gets out


class Node:
    """Everything of one node. start: of the boot part. ends: set when the application has to return."""

    def __init__(self, start, board, ring_bytes: int, search=None) -> None:
        self.start = start
        self.board = board
        self.identity = identity.load(start.root)
        self.ticks = Ticks(board.ticks_ms)
        self.clock = Clock()
        self.events = Events()
        _report_crash(start.root, self.events)
        self.configuration = Configuration(start.root, self.identity.plan)
        self.calibration = calibration.recalled(start.root)
        self.totals = Totals(start.root)
        policy = self.configuration.settings.ring_policy
        self.ring = Ring(start.root + "ring", ring_bytes, policy=policy)
        self.ring.mount()
        self.waking = self._waking()
        if self.configuration.settings.battery is not None and not board.can_sleep:
            self.events.tell(EventLevel.WARNING, "config_failed", CANNOT_SLEEP)
        self.progress = Progress(self.ticks.now_ms())
        self.trial = Trial(start.root, self.ring.next_seq)
        self.update = Updating(start.root, self.identity.key, board.name)
        self.version = _version(start.root)
        self.book = CommandBook(self._carry_out, lambda results: keep_results(start.root, results))
        self.book.keeps_all = self.waking is not None
        for result in recalled_results(start.root):
            self.book.remember(result)
        self.waker = asyncio.Event()
        self.network = Network(board, self.identity.wifi, self.ticks, self.restart)
        self.sampling = Sampling(self)
        self.uplink = Uplink(self, search)
        self.battery_mv = board.battery_mv()
        self.health_due_ms = 0
        self.told_ms = 0
        self.welcomed_ms = None
        self._flush_due_ms = None
        self._restart_ms = None

    async def run(self) -> None:
        """Live until a restart is wanted. Raises what a part raises that it should not."""
        tasks = [asyncio.create_task(part) for part in self._parts()]
        try:
            while not self._is_over(self.ticks.now_ms()):
                for task in tasks:
                    if task.done():
                        await task  # raises what ended it
                self._keep_up(self.ticks.now_ms())
                await asyncio.sleep(UPKEEP_S if self.waking is None else WAKE_STEP_S)
        finally:
            for task in tasks:
                task.cancel()
            self._close()
        if self.waking is not None and self._restart_ms is None:
            self.waking.sleep()

    def _parts(self):
        if self.waking is not None:
            return [self.waking.run()]
        parts = [self.network.run(), self.uplink.run()]
        if not self.start.is_safe_mode:
            parts.append(self.sampling.run())
        return parts

    def _waking(self):
        """Return the wake of a node on a battery, None when it stays awake.

        It does in safe mode, and while a release is on trial, which takes longer than a wake.
        """
        if self.start.is_safe_mode or self.start.is_trial or not self._sleeps():
            return None
        from firmware.node.waking import Waking  # noqa: PLC0415 - most nodes do without

        return Waking(self)

    def _sleeps(self) -> bool:
        return self.configuration.settings.battery is not None and self.board.can_sleep

    def _keep_up(self, now_ms: int) -> None:
        if self._flush_due_ms is not None and now_ms >= self._flush_due_ms:
            self.flush(now_ms)
        self._keep_totals(now_ms, False)
        if self.start.is_safe_mode or not self.progress.is_stuck(now_ms):
            self.start.feed()

    def _is_over(self, now_ms: int) -> bool:
        if self.update.is_complete and self._restart_ms is None:
            self.restart("a new release is in place")
        if self._restart_ms is not None:
            return now_ms >= self._restart_ms
        return self.waking is not None and self.waking.is_over

    def _keep_totals(self, now_ms: int, is_row_due: bool) -> None:
        try:
            self.totals.keep_up(now_ms, is_row_due)
        except OSError as error:
            self.events.trouble("flash_failed", "totals", repr(error))

    def flush(self, now_ms: int) -> None:
        """Put rows on flash, which gives them their numbers."""
        self._flush_due_ms = None
        self._keep_totals(now_ms, True)
        try:
            self.ring.flush()
            self.events.is_over("flash_failed", "ring")
        except OSError as error:
            self.events.trouble("flash_failed", "ring", repr(error))
        self.wake()

    def _close(self) -> None:
        try:
            self.totals.keep()
            self.ring.close()
        except OSError as error:  # what is in memory is lost, and was not numbered
            self.log("flash: %r" % error)

    @property
    def is_on_battery(self) -> bool:
        """True when it was told so, or measures one."""
        return self.waking is not None or self.battery_mv > 0

    # What the parts tell

    def row_waits(self, now_ms: int) -> None:
        """A row is in memory: it is flushed in time, together with those that follow."""
        if self._flush_due_ms is None:
            self._flush_due_ms = now_ms + self.configuration.settings.flush_s * 1000
        self.wake()

    def wake(self) -> None:
        """There may be something to say to the hub."""
        self.waker.set()

    def heard(self, now_ms: int) -> None:
        """The hub, proved, answered."""
        self.network.heard(now_ms)

    def told(self, now_ms: int) -> None:
        """The hub said something other than that it stored rows."""
        self.told_ms = now_ms

    def configured(self, before) -> None:
        """Another configuration holds; before: the settings until now. Some of it takes a restart."""
        settings = self.configuration.settings
        if self.trial.is_running:
            return  # this is called again at its end
        if settings.ring_policy != before.ring_policy or self._sleeps() != (self.waking is not None):
            self.restart("the configuration takes a restart")

    def welcomed(self, now_ms: int) -> None:
        """A session is open."""
        self.health_due_ms = self.welcomed_ms = now_ms
        self.uplink.welcomed()
        self.log("welcomed by a hub")

    def stored(self, stored_seq: int, now_ms: int) -> None:
        """The hub has stored everything up to stored_seq. Raises ValueError when that cannot be."""
        self.ring.acknowledge(stored_seq)
        self.progress.made(now_ms)
        self.heard(now_ms)
        try:
            if self.trial.acknowledge(stored_seq, now_ms // 1000):
                self.update.look_again()
                self.wake()
                self.configured(self.configuration.settings)
        except OSError as error:
            self.events.trouble("flash_failed", "slots", repr(error))

    def clock_told(self, unix_ms: int, asked_ms: int, now_ms: int) -> None:
        """The hub told the time."""
        self.clock.learn(unix_ms, asked_ms, now_ms)
        if self.clock.is_known:
            try:
                self.ring.set_clock(self.ring.boot, self.clock.offset_ms)  # only the first one counts
            except OSError as error:
                self.events.trouble("flash_failed", "clock", repr(error))

    def _carry_out(self, command):
        from firmware.node.acts import Acts  # noqa: PLC0415 - see passing.py
        from firmware.node.orders import carry_out  # noqa: PLC0415

        try:
            return carry_out(Acts(self).by_name(), command)
        finally:
            forget("firmware.node.acts", "firmware.node.orders")
            self.told(self.ticks.now_ms())  # what took long is no silence of the hub's

    def health(self, now_ms: int):
        """Measure, and note when to do so again."""
        self.health_due_ms = now_ms + self.configuration.settings.health_s * 1000
        self.battery_mv = self.board.battery_mv()
        return health.measure(self, now_ms)

    def restart(self, why: str) -> None:
        """Return from run() soon; the boot part resets the board."""
        self.log(why)
        if self._restart_ms is None:
            self._restart_ms = self.ticks.now_ms() + RESTART_AFTER_MS

    def log(self, text: str) -> None:
        """Say something to whoever sits at the serial line."""
        print("%d %s" % (self.ticks.now_ms(), text))


def _report_crash(root: str, events: Events) -> None:
    """Tell what the boot part noted of the boot before."""
    text = take_text(root + CRASH_FILE)
    if text:
        events.tell(EventLevel.CRITICAL, "crashed", text[-DETAIL_LENGTH:])


def _version(root: str) -> str:
    pointer = load_slots(root)
    return (pointer.trial_version if pointer.is_trial else pointer.version) or "unreleased"
