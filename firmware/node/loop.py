"""The node: all its parts, what they share, and the loop that runs them and feeds the watchdog."""

import asyncio

from firmware.node import health, identity
from firmware.node.acts import Acts, keep_result, recalled_calibration, recalled_results
from firmware.node.clock import Clock, Ticks
from firmware.node.commands import CommandBook
from firmware.node.configuration import Configuration
from firmware.node.events import Events
from firmware.node.files import take_text
from firmware.node.network import Network
from firmware.node.progress import Progress
from firmware.node.ring import Ring
from firmware.node.sampling import Sampling
from firmware.node.slots import load as load_slots
from firmware.node.totals import Totals
from firmware.node.trial import Trial
from firmware.node.updating import Updating
from firmware.node.uplink import Uplink
from shared_schema.reports import DETAIL_LENGTH, EventLevel

CRASH_FILE = "crash.txt"  # of boot.py
UPKEEP_S = 0.5
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
        self.progress = Progress(0)
        self.configuration = Configuration(start.root, self.identity.plan)
        self.calibration = recalled_calibration(start.root)
        self.totals = Totals(start.root)
        self.ring = Ring(start.root + "ring", ring_bytes)
        self.ring.mount()
        self.trial = Trial(start.root, self.ring.next_seq)
        self.update = Updating(start.root, self.identity.key, board.name)
        self.version = _version(start.root)
        self.book = CommandBook(Acts(self).by_name(), lambda result: keep_result(start.root, result))
        for result in recalled_results(start.root):
            self.book.remember(result)
        self.waker = asyncio.Event()
        self.network = Network(board, self.identity.wifi, self.ticks, self.restart)
        self.sampling = Sampling(self)
        self.uplink = Uplink(self, search)
        self.battery_mv = board.battery_mv()
        self.health_due_ms = 0
        self._flush_due_ms = None
        self._restart_ms = None

    async def run(self) -> None:
        """Live until a restart is wanted. Raises what a part raises that it should not."""
        parts = [self.network.run(), self.uplink.run()]
        if not self.start.is_safe_mode:
            parts.append(self.sampling.run())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            while not self._is_over(self.ticks.now_ms()):
                for task in tasks:
                    if task.done():
                        await task  # raises what ended it
                self._keep_up(self.ticks.now_ms())
                await asyncio.sleep(UPKEEP_S)
        finally:
            for task in tasks:
                task.cancel()
            self._close()

    def _keep_up(self, now_ms: int) -> None:
        if self._flush_due_ms is not None and now_ms >= self._flush_due_ms:
            self._flush(now_ms)
        self._keep_totals(now_ms, False)
        if self.start.is_safe_mode or not self.progress.is_stuck(now_ms):
            self.start.feed()

    def _is_over(self, now_ms: int) -> bool:
        if self.update.is_complete and self._restart_ms is None:
            self.restart("a new release is in place")
        return self._restart_ms is not None and now_ms >= self._restart_ms

    def _keep_totals(self, now_ms: int, is_row_due: bool) -> None:
        try:
            self.totals.keep_up(now_ms, is_row_due)
        except OSError as error:
            self.events.trouble("flash_failed", "totals", repr(error))

    def _flush(self, now_ms: int) -> None:
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

    def welcomed(self, now_ms: int) -> None:
        """A session is open."""
        self.health_due_ms = now_ms
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
        except OSError as error:
            self.events.trouble("flash_failed", "slots", repr(error))

    def clock_told(self, unix_ms: int, asked_ms: int, now_ms: int) -> None:
        """The hub told the time."""
        was_known = self.clock.is_known
        self.clock.learn(unix_ms, asked_ms, now_ms)
        if self.clock.is_known and not was_known:
            try:
                self.ring.set_clock(self.ring.boot, self.clock.offset_ms)
            except OSError as error:
                self.events.trouble("flash_failed", "clock", repr(error))

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
