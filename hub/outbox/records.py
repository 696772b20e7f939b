"""What is written to and read from the disk, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.errors import TryAgain
from hub.outbox.trouble import SENTENCES, Trouble


class StorageTrouble(TryAgain):
    """The disk or the file did not do as asked. trouble: how to react."""

    def __init__(self, trouble: Trouble, what: str, where: str) -> None:
        super().__init__(what, where=where, hint=SENTENCES.get(trouble, ""))
        self.trouble = trouble


class ChunkRow(NamedTuple):
    """A chunk as it lies on disk; runs and body are squeezed."""

    chunk_id: int
    lane: int
    shape: int
    boot: int
    level: int
    rows: int
    first_at: int
    last_at: int
    runs: bytes
    body: bytes


class ChunkHead(NamedTuple):
    """What is known of a chunk without reading its blobs."""

    chunk_id: int
    lane: int
    shape: int
    boot: int
    level: int
    rows: int
    first_at: int
    last_at: int
    size: int


class FailedRow(NamedTuple):
    """A row the cloud refused. values: JSON object by field name. attempts: WANTS_PURGE once given up."""

    failed_id: int
    device_key: str
    epoch: int
    seq: int
    kind: str
    recorded_at_ms: int
    quality: int
    time_quality: int
    values: str
    reason: str
    attempts: int
    failed_at_ms: int


WANTS_PURGE = -1


class FailedHead(NamedTuple):
    """What is remembered of a refused row."""

    failed_id: int
    kind: str
    attempts: int
    failed_at_ms: int


@dataclass(slots=True)
class Transaction:
    """One transaction: everything in it is on disk, or nothing. Doing it twice changes nothing more."""

    put: Sequence[ChunkRow] = ()
    drop: Sequence[int] = ()
    states: Sequence[tuple[int, bytes]] = ()
    failed: Sequence[FailedRow] = ()
    unfailed: Sequence[int] = ()
    snapshot: tuple[int, bytes] | None = None
    snapshot_slots: Sequence[int] = ()


@dataclass(slots=True)
class Contents:
    """What an outbox file holds when it is opened. snapshots: newest first."""

    snapshots: list[bytes] = field(default_factory=list)
    heads: list[ChunkHead] = field(default_factory=list)
    states: dict[int, bytes] = field(default_factory=dict)
    failed: list[FailedHead] = field(default_factory=list)


class Usage(NamedTuple):
    """Bytes. used: by what is stored; file: of the whole file and its log; disk_free: on that disk."""

    used: int
    file: int
    disk_free: int
