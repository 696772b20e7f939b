"""The update while there is none: its modules, a tenth of the code, are in memory only when one is offered.

A release on offer that no longer fits the memory ends this boot; the next one begins with all of it free.
"""

import gc

from firmware.node import slots
from firmware.node.passing import forget
from firmware.node.update_report import report_of
from shared_schema.digest import Hmac

_MODULES = ("firmware.node.update", "firmware.node.manifest", "firmware.node.slot_files")


class Updating:
    """What SlotUpdate of update.py offers, with the same names."""

    def __init__(self, root: str, key: bytes, board: str) -> None:
        self._arguments = (root, Hmac(key), board)
        self._update = None
        self._report = self._reported()

    @property
    def report(self):
        """Where the update is; another object when there is something to tell."""
        return self._report if self._update is None else self._update.report

    @property
    def is_complete(self) -> bool:
        """True when the application has to end, so that the new release starts."""
        return self._update is not None and self._update.is_complete

    def offer(self, update) -> None:
        """Begin with what the hub offers, or go on with it."""
        if self._update is None:
            gc.collect()
            from firmware.node.update import SlotUpdate  # noqa: PLC0415 - only now

            self._update = SlotUpdate(*self._arguments)
        self._update.offer(update)

    def wanted(self):
        """Return which bytes are to be fetched next, or None."""
        return None if self._update is None else self._update.wanted()

    def take(self, chunk) -> None:
        """Take the bytes that were wanted."""
        if self._update is not None:
            self._update.take(chunk)

    def look_again(self) -> None:
        """Report what the record says now: after the trial ended well."""
        if self._update is None:
            self._report = self._reported()
        else:
            self._update.look_again()

    def close(self) -> None:
        """Put what was fetched on flash; the same offer goes on there."""
        if self._update is None:
            return
        self._update.close()
        if not self._update.is_complete:
            self._report, self._update = self._reported(), None  # a refusal is told in its session only
            forget(*_MODULES)

    def _reported(self):
        return report_of(slots.load(self._arguments[0]))
