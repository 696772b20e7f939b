"""The file of the registry. Hub and command line edit it: each under a lock, and replaced as a whole."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import OperatorNeeded
from hub.nodes.registry import REGISTRY_FILE, Registry, decode, encode

MOST_BYTES = 16_000_000  # ten thousand nodes with configurations; more is not our file
Mark = tuple[int, int, int] | None


class RegistryFile:
    """nodes.json in a hub's data folder; no file is an empty registry."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / REGISTRY_FILE
        self._lock = folder / f"{REGISTRY_FILE}.lock"

    def mark(self) -> Mark:
        """Return what is different after every edit."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def load(self) -> Registry:
        """Return the registry. Raises OperatorNeeded when it cannot be read."""
        try:
            with self._path.open("rb") as file:
                return decode(file.read(MOST_BYTES))
        except FileNotFoundError:
            return Registry()
        except OSError as error:
            raise self._trouble(f"cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise self._trouble(str(error)) from None

    def edit(self, change: Callable[[Registry], Registry]) -> Registry:
        """Replace the registry by what change makes of it, on disk when this returns; return the new one.

        Raises OperatorNeeded, and the old file stays; whatever change raises.
        """
        try:
            with self._locked():
                before = self.load()
                after = change(before)
                if after != before:
                    self._replace(encode(after))
                return after
        except OSError as error:
            raise self._trouble(f"cannot be written: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file, also when the process is killed
            yield

    def _replace(self, content: bytes) -> None:
        fresh = self._path.with_name(f"{REGISTRY_FILE}.new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _trouble(self, what: str) -> OperatorNeeded:
        hint = "mend it, or set it aside and approve the nodes again"
        return OperatorNeeded(f"the list of nodes {what}", where=str(self._path), hint=hint)
