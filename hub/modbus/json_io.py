"""The hole memory on disk: one small JSON file, replaced whole."""

import contextlib
import json
from pathlib import Path

from hub.modbus.holes import HoleMemory


class HoleFile:
    """Where a HoleMemory is kept. It is a cache: when it is lost or damaged, the slaves teach it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> HoleMemory:
        """Return what is on disk, or an empty memory."""
        memory = HoleMemory()
        with contextlib.suppress(OSError, ValueError):
            document = json.loads(self._path.read_text(encoding="utf-8"))
            memory.load(document if isinstance(document, dict) else {})
        return memory

    def save(self, memory: HoleMemory) -> None:
        """Write it down if it changed. A disk that does not take it costs a few requests after a restart."""
        if not memory.is_changed:
            return
        memory.is_changed = False
        beside = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            beside.write_text(json.dumps(memory.to_document(), indent=1), encoding="utf-8")
            beside.replace(self._path)
