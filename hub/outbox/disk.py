"""What the outbox asks of its disk."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from hub.outbox.records import ChunkRow, Contents, FailedHead, FailedRow, Transaction, Usage

T = TypeVar("T")


class WreckReader(Protocol):
    """Reads what can be read of a damaged outbox. Nothing here raises for damage; it is skipped."""

    async def open(self) -> None:
        """Open the file, if it can be opened at all."""
        ...

    async def snapshots(self) -> list[bytes]:
        """Return the snapshots, newest first."""
        ...

    async def failed(self) -> list[FailedRow]:
        """Return the refused rows."""
        ...

    async def chunks(self, first: int, last: int) -> list[ChunkRow]:
        """Return the chunks with ids from first to last that can be read."""
        ...

    async def states(self, chunk_id: int) -> bytes | None:
        """Return what is known of a chunk's rows."""
        ...

    async def close(self) -> None:
        """Close the file."""
        ...


class Disk(Protocol):
    """One outbox file. Whatever goes wrong with it comes out as StorageTrouble.

    Calls are done one after another, in the order they were made; each write is one transaction.
    """

    async def open(self) -> None:
        """Lock and open the file, make its tables, and check it when it is small. Raises OperatorNeeded."""
        ...

    async def close(self) -> None:
        """Do what was asked for before, close the file and unlock it."""
        ...

    async def start_over(self) -> str:
        """Set the file aside, open a fresh one, and return where the old one is."""
        ...

    async def load(self) -> Contents:
        """Return what the file holds."""
        ...

    async def write(self, prepare: Callable[[], Transaction]) -> None:
        """Prepare a transaction in the file's thread and write it; on disk when this returns."""
        ...

    async def read(self, ids: Sequence[int], decode: Callable[[Sequence[ChunkRow]], T]) -> T:
        """Read chunks by id, those that exist, and decode them in the file's thread."""
        ...

    async def failed_heads(self) -> list[FailedHead]:
        """Return what is remembered of refused rows."""
        ...

    async def failed_rows(self, ids: Sequence[int]) -> list[FailedRow]:
        """Return refused rows by id, those that exist."""
        ...

    async def usage(self) -> Usage:
        """Return how much room is used and left."""
        ...

    async def changes_by_others(self) -> int:
        """Return a number that changes when another program changed the file."""
        ...

    def wreck(self, path: str) -> WreckReader:
        """Return a reader of a file that was set aside."""
        ...

    def wrecks(self) -> list[str]:
        """Return the files that were set aside, oldest first."""
        ...

    def delete_wreck(self, path: str) -> None:
        """Delete a file that was set aside."""
        ...
