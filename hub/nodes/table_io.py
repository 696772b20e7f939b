"""The file of a table. Hub and command line edit it: each under a lock, and replaced as a whole."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from hub.errors import OperatorNeeded

MOST_BYTES = 16_000_000  # ten thousand nodes with configurations; more is not our file
Mark = tuple[int, int, int] | None
_Table = TypeVar("_Table")


class TableFile(Generic[_Table]):
    """A table in a file; no file is an empty table. what, hint: of its errors."""

    def __init__(
        self,
        path: Path,
        empty: _Table,
        decode: Callable[[bytes], _Table],
        encode: Callable[[_Table], bytes],
        *,
        what: str,
        hint: str,
    ) -> None:
        self._path = path
        self._empty = empty
        self._decode = decode
        self._encode = encode
        self._what = what
        self._hint = hint

    def mark(self) -> Mark:
        """Return what is different after every edit."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def load(self) -> _Table:
        """Return the table. Raises OperatorNeeded when it cannot be read."""
        try:
            with self._path.open("rb") as file:
                return self._decode(file.read(MOST_BYTES))
        except FileNotFoundError:
            return self._empty
        except OSError as error:
            raise self._trouble(f"cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise self._trouble(str(error)) from None

    def edit(self, change: Callable[[_Table], _Table]) -> _Table:
        """Replace the table by what change makes of it, on disk when this returns; return the new one.

        Raises OperatorNeeded, and the old file stays; whatever change raises.
        """
        try:
            with self._locked():
                before = self.load()
                after = change(before)
                if after != before:
                    self._replace(self._encode(after))
                return after
        except OSError as error:
            raise self._trouble(f"cannot be written: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_name(f"{self._path.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file, also when the process is killed
            yield

    def _replace(self, content: bytes) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _trouble(self, what: str) -> OperatorNeeded:
        return OperatorNeeded(f"{self._what} {what}", where=str(self._path), hint=self._hint)
