"""Which Unix time rows have that were stamped with the time since a boot.

Boots whose clocks were never known share one number: the next goes on where the last one ended. So when a
clock is known at last, one offset places them all: those of that boot exactly, and the earlier ones so that
they end where it begins.
"""

from firmware.node.block import Block
from firmware.node.journal import Journal
from firmware.node.segment import Segments
from shared_schema.enums import TimeQuality
from shared_schema.packing import EARLIEST_MS, LATEST_MS

WALL = 0  # in place of a boot: Unix ms
MOST_CLOCKS = 64  # what is kept in memory; a ring that needs more gives up its oldest rows

_WALL_CLOCK = (0, 0, None)


class Clocks:
    """boot: the number of this one. base_ms: what its times are after those of the boots that share it."""

    def __init__(self, segments: Segments, block: Block, journal: Journal) -> None:
        self._segments = segments
        self._block = block
        self._journal = journal
        self.boot = self.base_ms = 0
        self._offset_ms = None
        self._is_any_gone = False

    def begin(self) -> None:
        """Number this boot by what is on flash.

        Rows of an earlier one may have been sent when its clock is not known because the journal was damaged.
        They must not get another: this boot has a number of its own, and they are lost.
        """
        self._offset_ms = None
        lost = max([(loss[5], loss[6]) for loss in self._journal.losses] or [(WALL, 0)])
        highest = max([segment.boots[1] for segment in self._segments.all] or [WALL])
        last_at_ms = lost[1] if lost[0] >= highest else 0
        newest = [segment for segment in self._segments.all if segment.boots[1] == highest != WALL]
        for segment in newest[-1:]:
            last_at_ms = max(last_at_ms, self._last_in(segment, highest))
        highest = max(highest, lost[0])
        last_boot = self._journal.last_boot
        self._is_any_gone = highest not in self._journal.clocks and highest != WALL
        if last_boot >= max(highest, 1) and last_boot not in self._journal.clocks and self._journal.is_whole:
            self.boot = last_boot
            self.base_ms = last_at_ms + 1 if last_boot == highest else 0
            self._is_any_gone = False
        else:
            self.boot, self.base_ms = max([highest, last_boot] + list(self._journal.clocks)) + 1, 0

    def settle(self) -> None:
        """Make it durable that rows are lost because their clock is, before anyone is told."""
        if self._is_any_gone:
            self._journal.add_rows(self.boot)
            self._is_any_gone = False

    def placed(self, at_ms: int, boot: int | None) -> tuple:
        """Return (ms, boot or WALL) as a row is kept. Raises ValueError for another boot than this one."""
        if boot is None:
            return at_ms, WALL
        self._require_own(boot)
        if self._offset_ms is not None:
            return at_ms + self._offset_ms, WALL
        return at_ms + self.base_ms, self.boot

    def set(self, boot: int, offset_ms: int, time_quality: int, is_needed: bool) -> None:
        """Take the clock of this boot, the first time; durably when rows need it."""
        self._require_own(boot)
        if not EARLIEST_MS <= offset_ms <= LATEST_MS:
            raise ValueError("a boot that began at %d" % offset_ms)
        if self._offset_ms is None:
            if is_needed:
                self._journal.add_clock(boot, offset_ms - self.base_ms, self.base_ms, time_quality)
            self._offset_ms = offset_ms

    def of(self, boot: int) -> tuple | None:
        """Return (offset_ms, exact_from_ms, time quality) as in the journal; None when not known."""
        return self._journal.clocks.get(boot) if boot else _WALL_CLOCK

    def is_gone(self, boot: int) -> bool:
        """Whether the clock of an earlier boot was lost by damage: nothing can place its rows."""
        return boot != self.boot and self.of(boot) is None

    def known_ms(self, boot: int, at_ms: int) -> int | None:
        """Return the Unix time; 0 when it can never be known, None when not yet."""
        clock = self.of(boot)
        if clock is None:
            return 0 if self.is_gone(boot) else None
        return clock[0] + at_ms

    def _require_own(self, boot: int) -> None:
        if boot != self.boot:
            raise ValueError("boot %d is not this one, %d" % (boot, self.boot))

    def _last_in(self, segment, boot: int) -> int:
        at = last_at_ms = 0
        while True:
            at = self._segments.load(segment, at)
            if not at:
                return last_at_ms
            if self._segments.holds_own() and self._block.boot == boot:
                last_at_ms = max(last_at_ms, self._block.last_at_ms())


def stamped(clock: tuple, at_ms: int, time_quality: int) -> tuple:
    """Return a row's Unix time and its time quality."""
    offset_ms, exact_from_ms, known = clock
    if known is not None:
        time_quality = known if at_ms >= exact_from_ms else TimeQuality.ESTIMATED
    return offset_ms + at_ms, time_quality
