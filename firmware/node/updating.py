"""The update while there is none: its module, a tenth of all the code, is in memory only when the hub offers one.

A release on offer that no longer fits the memory ends this boot; the next one begins with all of it free.
"""

import gc
import sys

from shared_schema.digest import Hmac

_MODULES = ("firmware.node.update", "firmware.node.manifest", "firmware.node.slot_files")


class Updating:
    """What SlotUpdate of update.py offers, with the same names."""

    def __init__(self, root: str, key: bytes, board: str) -> None:
        self._arguments = (root, Hmac(key), board)
        self._update = None
        self._report = self._made().report
        _forget_modules()

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
            self._update = self._made()
        self._update.offer(update)

    def wanted(self):
        """Return which bytes are to be fetched next, or None."""
        return None if self._update is None else self._update.wanted()

    def take(self, chunk) -> None:
        """Take the bytes that were wanted."""
        if self._update is not None:
            self._update.take(chunk)

    def close(self) -> None:
        """Put what was fetched on flash; the same offer goes on there."""
        if self._update is None:
            return
        self._update.close()
        if not self._update.is_complete:
            self._report, self._update = self._update.report, None
            _forget_modules()

    def _made(self):
        from firmware.node.update import SlotUpdate  # noqa: PLC0415 - only now

        return SlotUpdate(*self._arguments)


def _forget_modules() -> None:
    for name in _MODULES:
        module = sys.modules.pop(name, None)
        parent = sys.modules.get("firmware.node")
        attribute = name.split(".")[-1]
        if module is not None and parent is not None and hasattr(parent, attribute):
            delattr(parent, attribute)
    gc.collect()
