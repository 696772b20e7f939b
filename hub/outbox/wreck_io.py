"""Reads what can be read of a damaged SQLite file, page by page of its trees."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from hub.outbox.records import ChunkRow, FailedRow

T = TypeVar("T")
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # SQLite quotes the file where it complains about it


class SqliteWreck:
    """hub.outbox.disk.WreckReader on SQLite. The file is only read; its log is taken into account."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, if it can be opened at all."""
        with suppress(*_UNREADABLE):
            self._connection = await asyncio.to_thread(_connect, self._path)

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def snapshots(self) -> list[bytes]:
        """Return the snapshots, newest first."""
        found = await self._each("select version, body from snapshots where slot = ?", range(2))
        return [body for _, body in sorted(found, reverse=True)]

    async def failed(self) -> list[FailedRow]:
        """Return the refused rows, from both ends as far as they can be read."""
        nothing: dict[int, tuple[Any, ...]] = {}
        rows = await self._try(_failed_from_both_ends, nothing)
        return [FailedRow(*rows[failed_id]) for failed_id in sorted(rows)]

    async def chunks(self, first: int, last: int) -> list[ChunkRow]:
        """Return the chunks with ids from first to last that can be read."""
        rows = await self._each("select * from chunks where id = ?", range(first, last + 1))
        return [ChunkRow(*row) for row in rows]

    async def states(self, chunk_id: int) -> bytes | None:
        """Return what is known of a chunk's rows."""
        rows = await self._each("select rows from states where chunk = ?", range(chunk_id, chunk_id + 1))
        return rows[0][0] if rows else None

    async def _each(self, statement: str, keys: range) -> list[tuple[Any, ...]]:
        return await self._try(lambda connection: _readable(connection, statement, keys), [])

    async def _try(self, job: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self._connection is None:
            return otherwise
        try:
            return await asyncio.to_thread(job, self._connection)
        except _UNREADABLE:
            return otherwise


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _failed_from_both_ends(connection: sqlite3.Connection) -> dict[int, tuple[Any, ...]]:
    rows: dict[int, tuple[Any, ...]] = {}
    for direction in ("asc", "desc"):
        with suppress(*_UNREADABLE):
            for row in connection.execute(f"select * from failed_queue order by id {direction}"):
                rows[row[0]] = row
    return rows


def _readable(connection: sqlite3.Connection, statement: str, keys: range) -> list[tuple[Any, ...]]:
    rows = []
    for key in keys:
        with suppress(*_UNREADABLE):
            rows += connection.execute(statement, (key,)).fetchall()
    return rows
