"""The outbox file: SQLite, one connection in a thread of its own.

Owns the tables and every statement; decides nothing. Each call here is one trip to the thread, and each write
is one transaction. Anything SQLite complains about comes out as StorageTrouble.

Why these pragmas: WAL with synchronous=FULL has a commit on disk when it returns, with one sync.
Source: https://www.sqlite.org/pragma.html#pragma_synchronous.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from hub.outbox.file_io import Lock, delete, set_aside, set_aside_files
from hub.outbox.records import (
    ChunkHead,
    ChunkRow,
    Contents,
    FailedHead,
    FailedRow,
    StorageTrouble,
    Transaction,
    Usage,
)
from hub.outbox.trouble import DAMAGES, Trouble, trouble_of
from hub.outbox.wreck_io import SqliteWreck

T = TypeVar("T")

APPLICATION_ID = 0x50454E53  # "PENS", so that file(1) and a careless hand can tell
FORMAT = 1
PAGE_BYTES = 2048  # measured: a fifth fewer bytes written than with 4096, at 100 and at 1000 readings/s
CHECKPOINT_PAGES = 2000  # pages freed and used again within this much log are written home once
BUSY_MS = 250  # the hub waits and repeats by itself; this only spares it the momentary reader
QUICK_CHECK_BYTES = 64_000_000  # about a second on an SD card; beyond, checksums find damage when it is read

_SCHEMA = f"""
pragma application_id = {APPLICATION_ID};
pragma user_version = {FORMAT};
create table if not exists chunks (
    id integer primary key, lane integer not null, shape integer not null, boot integer not null,
    level integer not null, rows integer not null, first_at integer not null, last_at integer not null,
    runs blob not null, body blob not null
) strict;
create table if not exists states (chunk integer primary key, rows blob not null) strict;
create table if not exists snapshots (slot integer primary key, version integer not null, body blob not null)
    strict;
create table if not exists failed_queue (
    id integer primary key, device_key text not null, epoch integer not null, seq integer not null,
    kind text not null, recorded_at_ms integer not null, quality integer not null,
    time_quality integer not null,
    fields text not null, reason text not null, attempts integer not null, failed_at_ms integer not null
) strict;
"""


class _InThread(aiosqlite.Connection):
    """One trip to the connection's thread per transaction instead of one per statement."""

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return cast("T", await self._execute(job, self._conn))  # type: ignore[no-untyped-call]


class SqliteDisk:
    """One outbox file: hub.outbox.disk.Disk on SQLite."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = Lock(path)
        self._connection: _InThread | None = None
        self._aside: str | None = None

    async def open(self) -> None:
        """Lock and open the file, make its tables, and check it when it is small. Raises OperatorNeeded."""
        self._lock.acquire()
        try:
            await self._open()
        except StorageTrouble as error:
            if error.trouble not in DAMAGES:
                self._lock.release()
            raise

    async def _open(self) -> None:
        try:
            connection = _InThread(partial(_connect, self.path), iter_chunk_size=64)
            self._connection = connection
            await connection
            await self._run(_prepare)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self.abandon()
            raise _trouble(error, self.path) from error

    async def close(self) -> None:
        """Do what was asked for before, close the file and unlock it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                await connection.close()
        self._lock.release()

    def abandon(self) -> None:
        """Let go of the file without waiting, as far as Python is concerned."""
        if self._connection is not None:
            self._connection.stop()
            self._connection = None

    async def start_over(self) -> str:
        """Set the file aside, open a fresh one, and return where the old one is."""
        connection, self._connection = self._connection, None
        if connection is not None and (stopped := connection.stop()) is not None:
            await stopped
        try:
            # A disk that is full may take the fresh file only later: the old one is out of the way by then.
            self._aside = self._aside or set_aside(self.path)
        except OSError as error:
            raise StorageTrouble(Trouble.IO, f"cannot set it aside: {error.strerror}", self.path) from error
        await self._open()
        aside, self._aside = self._aside, None
        return aside

    async def _run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise StorageTrouble(Trouble.IO, "the outbox is closed", self.path)
        try:
            return await self._connection.run(job)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise _trouble(error, self.path) from error

    async def load(self) -> Contents:
        """Return what the file holds."""
        return await self._run(load)

    async def write(self, prepare: Callable[[], Transaction]) -> None:
        """Prepare a transaction in the file's thread and write it; on disk when this returns."""
        await self._run(lambda connection: write(connection, prepare()))

    async def read(self, ids: Sequence[int], decode: Callable[[Sequence[ChunkRow]], T]) -> T:
        """Read chunks by id, those that exist, and decode them in the file's thread."""
        return await self._run(lambda connection: decode(chunks(connection, ids)))

    async def failed_heads(self) -> list[FailedHead]:
        """Return what is remembered of refused rows."""
        return await self._run(failed_heads)

    async def failed_rows(self, ids: Sequence[int]) -> list[FailedRow]:
        """Return refused rows by id, those that exist."""
        return await self._run(partial(failed_rows, ids=ids))

    async def usage(self) -> Usage:
        """Return how much room is used and left."""
        return await self._run(partial(usage, path=self.path))

    async def changes_by_others(self) -> int:
        """Return a number that changes when another program changed the file."""
        return await self._run(lambda connection: _pragma(connection, "data_version"))

    def wreck(self, path: str) -> SqliteWreck:
        """Return a reader of a file that was set aside."""
        return SqliteWreck(path)

    def wrecks(self) -> list[str]:
        """Return the files that were set aside, oldest first."""
        return set_aside_files(self.path)

    def delete_wreck(self, path: str) -> None:
        """Delete a file that was set aside."""
        delete(path)


def _trouble(error: Exception, path: str) -> StorageTrouble:
    if isinstance(error, UnicodeDecodeError):  # SQLite quotes the file where it complains about it
        return StorageTrouble(Trouble.CORRUPT, "it holds what was never written", path)
    code = getattr(error, "sqlite_errorcode", None)
    return StorageTrouble(trouble_of(code), f"{type(error).__name__}: {error}", path)


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(f"pragma page_size = {PAGE_BYTES}")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
    (found,) = connection.execute("pragma user_version").fetchone()
    if found == 0:
        connection.executescript(f"begin immediate; {_SCHEMA} commit;")
    pages, size = _pragma(connection, "page_count"), _pragma(connection, "page_size")
    if pages * size <= QUICK_CHECK_BYTES:
        (answer,) = connection.execute("pragma quick_check(1)").fetchone()
        if answer != "ok":
            raise _corrupt(answer)


def _corrupt(answer: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(answer)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])


def load(connection: sqlite3.Connection) -> Contents:
    """Return what the file holds."""
    heads = connection.execute(
        "select id, lane, shape, boot, level, rows, first_at, last_at, length(runs) + length(body)"
        " from chunks order by id"
    )
    return Contents(
        [body for (body,) in connection.execute("select body from snapshots order by version desc")],
        [ChunkHead(*head) for head in heads],
        dict(connection.execute("select chunk, rows from states")),
        failed_heads(connection),
    )


def failed_heads(connection: sqlite3.Connection) -> list[FailedHead]:
    """Return what is remembered of refused rows."""
    found = connection.execute("select id, kind, attempts, failed_at_ms from failed_queue order by id")
    return [FailedHead(*head) for head in found]


def write(connection: sqlite3.Connection, transaction: Transaction) -> None:
    """Write one transaction, or nothing of it."""
    connection.execute("begin immediate")
    try:
        _write(connection, transaction)
        connection.execute("commit")
    except BaseException:
        # A full disk may have ended the transaction already, and then there is nothing to roll back.
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def _write(connection: sqlite3.Connection, transaction: Transaction) -> None:
    _many(connection, "insert or replace into chunks values (?,?,?,?,?,?,?,?,?,?)", transaction.put)
    _many(connection, "delete from chunks where id = ?", [(chunk_id,) for chunk_id in transaction.drop])
    # What was known of a chunk's rows does not hold for what takes its place: a new chunk is all there.
    stale = [*transaction.drop, *(row.chunk_id for row in transaction.put)]
    _many(connection, "delete from states where chunk = ?", [(chunk_id,) for chunk_id in stale])
    _many(connection, "insert or replace into states values (?,?)", transaction.states)
    _many(
        connection, "insert or replace into failed_queue values (?,?,?,?,?,?,?,?,?,?,?,?)", transaction.failed
    )
    _many(connection, "delete from failed_queue where id = ?", [(row,) for row in transaction.unfailed])
    if transaction.snapshot is not None:
        version, body = transaction.snapshot
        for slot in transaction.snapshot_slots:
            connection.execute("insert or replace into snapshots values (?,?,?)", (slot, version, body))


def _many(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        connection.executemany(statement, rows)


def chunks(connection: sqlite3.Connection, ids: Iterable[int]) -> list[ChunkRow]:
    """Return chunks by id, those that exist."""
    found = (connection.execute("select * from chunks where id = ?", (each,)).fetchone() for each in ids)
    return [ChunkRow(*row) for row in found if row is not None]


def failed_rows(connection: sqlite3.Connection, ids: Iterable[int]) -> list[FailedRow]:
    """Return refused rows by id, those that exist."""
    found = (
        connection.execute("select * from failed_queue where id = ?", (each,)).fetchone() for each in ids
    )
    return [FailedRow(*row) for row in found if row is not None]


def usage(connection: sqlite3.Connection, path: str) -> Usage:
    """Return how much room is used and left."""
    page = _pragma(connection, "page_size")
    pages, spare = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
    log = Path(path + "-wal")
    disk = os.statvfs(Path(path).parent)
    log_bytes = log.stat().st_size if log.exists() else 0
    return Usage((pages - spare) * page, pages * page + log_bytes, disk.f_bavail * disk.f_frsize)
