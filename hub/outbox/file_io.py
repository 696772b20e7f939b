"""The outbox's files as files: who may open them, and setting a damaged one aside."""

import fcntl
import os
from pathlib import Path

from hub.errors import OperatorNeeded
from hub.outbox.records import StorageTrouble
from hub.outbox.trouble import Trouble


class Lock:
    """Held by the one hub that has the outbox open; the system lets go of it when that hub dies."""

    def __init__(self, path: str) -> None:
        self._path = Path(path + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises OperatorNeeded when another hub holds it, StorageTrouble when there can be no such file."""
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise OperatorNeeded(
                "another hub has this outbox open",
                where=str(self._path),
                hint="stop that hub first, or give this one a data folder of its own",
            ) from error
        self._descriptor = descriptor

    def _opened(self) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            what = f"cannot be opened: {error.strerror}"
            raise StorageTrouble(Trouble.IO, what, str(self._path)) from error

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def set_aside(path: str) -> str:
    """Rename a damaged outbox with its log to <path>.corrupt-<n>, the first free n; return the new path."""
    number = 1
    while Path(f"{path}.corrupt-{number}").exists() or Path(f"{path}.corrupt-{number}-wal").exists():
        number += 1
    aside = f"{path}.corrupt-{number}"
    # The log first: without its file it is never taken for another's.
    for suffix in ("-wal", ""):
        if Path(path + suffix).exists():
            Path(path + suffix).rename(aside + suffix)
    Path(path + "-shm").unlink(missing_ok=True)
    return aside


def set_aside_files(path: str) -> list[str]:
    """Return the damaged outboxes that lie beside this one, oldest first."""
    name = Path(path).name
    found = Path(path).parent.glob(f"{name}.corrupt-*")
    numbers = sorted(int(number) for each in found if (number := each.name.rpartition("-")[2]).isdigit())
    return [f"{path}.corrupt-{number}" for number in numbers]


def delete(path: str) -> None:
    """Delete a file and what belongs to it."""
    for suffix in ("-wal", "-shm", ""):
        Path(path + suffix).unlink(missing_ok=True)
