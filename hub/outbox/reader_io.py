"""Looks into an outbox file, beside a running hub or without one.

Only reads, but for requests about refused rows. Those are a note in their queue: the hub acts on it when it
next looks, or when it starts, since only the hub may number the ledger rows that a purge needs.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hub.errors import PenstockError
from hub.outbox.batches import batch_of
from hub.outbox.chunk import Columns, DamagedChunk, Runs, decode_body, decode_runs
from hub.outbox.directory import Directory
from hub.outbox.leases import FREE, GONE, Chunk, Segment
from hub.outbox.records import WANTS_PURGE, ChunkHead, FailedRow
from hub.outbox.salvage import newest
from hub.outbox.squeeze import Zstandard
from hub.outbox.trouble import Trouble, trouble_of
from hub.ports import Batch
from shared_schema.enums import TimeQuality
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from shared_schema.metrics import KINDS

T = TypeVar("T")

BUSY_S = 10.0  # the hub's own transactions take milliseconds


class Summary(NamedTuple):
    """What lies in a file. rows: by kind. Times are Unix ms; None when nothing has a known time."""

    rows: dict[str, int]
    unsent: int
    held: int
    retrying: int
    dead_letters: int
    oldest_ms: int | None
    newest_ms: int | None
    bytes_on_disk: int
    streams: int
    appended: int
    settled: int
    losses: dict[str, int]


class OutboxReader:
    """One outbox file. Raises PenstockError when there is none or it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zstandard = Zstandard()

    def summary(self) -> Summary:
        """Return what lies in the file."""
        return self._look(self._summary)

    def failed(self) -> list[FailedRow]:
        """Return the refused rows: those still tried and the dead letters."""
        found = self._look(
            lambda connection: connection.execute("select * from failed_queue order by id").fetchall()
        )
        return [FailedRow(*row) for row in found]

    def batches(self) -> Iterator[Batch]:
        """Yield every row that was not sent yet, chunk by chunk; a boot without a clock has PENDING times."""
        directory = self._look(self._directory)
        ids = self._look(
            lambda connection: connection.execute("select id from chunks order by id").fetchall()
        )
        for (chunk_id,) in ids:
            batch = self._look(lambda connection, each=chunk_id: self._batch(connection, directory, each))  # type: ignore[misc]
            if batch is not None:
                yield batch

    def ask(self, ids: Sequence[int] | None, *, purge: bool) -> int:
        """Have dead letters tried again, or given up; None: all of them. Return how many."""
        attempts = WANTS_PURGE if purge else 0
        where = "attempts >= ?" if ids is None else f"attempts >= ? and id in ({', '.join('?' * len(ids))})"
        statement = f"update failed_queue set attempts = ? where {where}"
        values = (attempts, ATTEMPTS_BEFORE_DEAD_LETTER, *(ids or ()))
        return self._do("rw", lambda connection: connection.execute(statement, values).rowcount)

    def _look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return self._do("ro", job)

    def _do(self, mode: str, job: Callable[[sqlite3.Connection], T]) -> T:
        self._look_at_the_file()
        try:
            connection = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_S
            )
            try:
                return job(connection)
            finally:
                connection.close()
        except (sqlite3.Error, UnicodeDecodeError, DamagedChunk) as error:
            raise PenstockError(
                f"cannot be read: {error}", where=str(self._path), hint=_hint(error)
            ) from error

    def _look_at_the_file(self) -> None:
        """Raise what SQLite would not say: why a file cannot be opened."""
        try:
            with self._path.open("rb"):
                pass
        except FileNotFoundError:
            what, hint = "there is no outbox", "has this hub run before?"
            raise PenstockError(what, where=str(self._path), hint=hint) from None
        except OSError as error:
            hint = "run this as the user the hub runs as, or as root"
            raise PenstockError(
                f"cannot be read: {error.strerror}", where=str(self._path), hint=hint
            ) from error

    def _directory(self, connection: sqlite3.Connection) -> Directory:
        bodies = connection.execute("select body from snapshots order by version desc")
        directory = newest((body for (body,) in bodies), self._zstandard)
        if directory is None and connection.execute("select 1 from chunks").fetchone():
            raise DamagedChunk("no snapshot in it can be read")
        return directory or Directory(0)

    def _summary(self, connection: sqlite3.Connection) -> Summary:
        connection.execute("begin")  # one state of the file for all questions
        directory = self._directory(connection)
        rows: dict[str, int] = {}
        appended, held = directory.appended, 0
        times: list[int] = []
        for chunk_id, shape, boot, count, first_at, last_at in connection.execute(
            "select id, shape, boot, rows, first_at, last_at from chunks"
        ):
            left = count - self._gone(connection, chunk_id)
            kind = directory.shapes[shape].kind
            rows[kind] = rows.get(kind, 0) + left
            appended += count if chunk_id > directory.through_chunk else 0
            offset = directory.boots[boot - 1].offset_ms if boot else 0
            if offset is None:
                held += left
            else:
                times += [first_at + offset, last_at + offset]
        attempts = [row[0] for row in connection.execute("select attempts from failed_queue")]
        retrying = sum(0 <= each < ATTEMPTS_BEFORE_DEAD_LETTER for each in attempts)
        return Summary(
            rows, sum(rows.values()), held, retrying, len(attempts) - retrying,
            min(times, default=None), max(times, default=None), self._bytes(), len(directory.keys),
            appended, directory.settled, directory.losses,
        )  # fmt: skip

    def _states(self, connection: sqlite3.Connection, chunk_id: int) -> bytes:
        row = connection.execute("select rows from states where chunk = ?", (chunk_id,)).fetchone()
        return b"" if row is None else self._zstandard.restore(row[0])

    def _gone(self, connection: sqlite3.Connection, chunk_id: int) -> int:
        return self._states(connection, chunk_id).count(GONE)

    def _bytes(self) -> int:
        files = [self._path, Path(f"{self._path}-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def _batch(self, connection: sqlite3.Connection, directory: Directory, chunk_id: int) -> Batch | None:
        row = connection.execute("select * from chunks where id = ?", (chunk_id,)).fetchone()
        if row is None:
            return None  # sent since
        *head, runs_blob, body_blob = row
        states = self._states(connection, chunk_id)
        chunk = Chunk(*ChunkHead._make([*head, len(body_blob)]), states=bytearray(states) if states else None)
        positions = [at for at in range(chunk.rows) if not states or states[at] == FREE]
        if not positions:
            return None
        restore = self._zstandard.restore
        contents: tuple[Runs, Columns] = (
            decode_runs(restore(runs_blob)),
            decode_body(restore(body_blob)),
        )
        if chunk.boot and directory.boots[chunk.boot - 1].offset_ms is None:
            chunk.boot = 0  # its times stay what they are: ms since that boot, and PENDING
        return batch_of(0, chunk.lane, directory, [Segment(chunk, positions)], {chunk_id: contents})


def rows_of(batch: Batch) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch as flat documents, without the fields that are None."""
    names = next((kind.field_names for kind in KINDS if kind.name == batch.kind), ())
    for at in range(len(batch)):
        row = {
            "kind": batch.kind,
            "device_key": batch.device_keys[at],
            "epoch": batch.epochs[at],
            "seq": batch.seqs[at],
            "recorded_at_ms": batch.recorded_at_ms[at],
            "quality": batch.qualities[at],
            "time_quality": TimeQuality.NAMES[batch.time_qualities[at]],
        }
        with suppress(IndexError):
            row |= {name: column[at] for name, column in zip(names, batch.columns, strict=False)}
        yield {name: value for name, value in row.items() if value is not None}


def _hint(error: Exception) -> str:
    trouble = (
        trouble_of(getattr(error, "sqlite_errorcode", None)) if isinstance(error, sqlite3.Error) else None
    )
    if trouble is Trouble.LOCKED:
        return "end what has it open, or try again"
    if trouble in {Trouble.IO, Trouble.FULL}:
        return (
            "check the disk, and run this as the user the hub runs as: beside the file there is a log to open"
        )
    return "a running hub sets a damaged outbox aside and brings over what is readable"
