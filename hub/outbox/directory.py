"""The outbox's own memory beside its chunks: streams, kinds, boots and counters.

Rules:
1. A stream is (device_key, epoch); its number, the ref, is its place in the list and never changes.
2. next_seq is what the snapshot says or one past the last row of any newer chunk, whichever is more. So a
   chunk may be deleted or replaced only in a transaction that also writes a snapshot.
3. Every row below a stream's floor has left the outbox; after damage, what is missing from there on was lost.
4. A snapshot names everything the chunks need to be read, so chunks and one snapshot are the whole outbox.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import cast
from zlib import crc32

from hub.outbox.boots import Boot
from hub.outbox.chunk import DamagedChunk, Run

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind as it was when rows of it were written."""

    kind: str
    field_names: tuple[str, ...]


@dataclass(slots=True)
class Directory:
    """Streams by ref, kinds by number, boots in order. Number 0 of a boot means: time is wall time."""

    epoch: int
    version: int = 0
    keys: list[str] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    next_seqs: list[int] = field(default_factory=list)
    floors: list[int] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    boots: list[Boot] = field(default_factory=list)
    salvaged: dict[str, int] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)
    through_chunk: int = 0
    oldest_chunk: int = 0
    appended: int = 0
    settled: int = 0
    latest_ms: int | None = None
    is_changed: bool = True
    _refs: dict[tuple[str, int], int] = field(init=False)
    _shape_refs: dict[Shape, int] = field(init=False)
    _own_refs: dict[str, int] = field(default_factory=dict)
    _candidate: tuple[int, list[int]] = (0, [])

    def __post_init__(self) -> None:
        self._refs = {stream: ref for ref, stream in enumerate(zip(self.keys, self.epochs, strict=True))}
        self._shape_refs = {shape: ref for ref, shape in enumerate(self.shapes)}

    def ref_of(self, device_key: str, epoch: int, first_seq: int = 1) -> int:
        """Return the ref of a stream, made when it is new."""
        ref = self._refs.get((device_key, epoch))
        if ref is None:
            ref = self._refs[device_key, epoch] = len(self.keys)
            self.keys.append(device_key)
            self.epochs.append(epoch)
            self.next_seqs.append(first_seq)
            self.floors.append(first_seq)
            self.is_changed = True
        return ref

    def last_seq(self, device_key: str, epoch: int) -> int:
        """Return the highest number a stream has had; 0 before the first."""
        ref = self._refs.get((device_key, epoch))
        return 0 if ref is None else self.next_seqs[ref] - 1

    def own_refs(self, device_keys: Sequence[str]) -> list[int]:
        """Return the refs of devices' streams in this outbox's own epoch, made where they are new."""
        refs = list(map(self._own_refs.get, device_keys))
        if None in refs:
            for device_key in device_keys:
                self._own_refs.setdefault(device_key, self.ref_of(device_key, self.epoch))
            refs = list(map(self._own_refs.get, device_keys))
        return cast("list[int]", refs)

    def assign(self, ref: int, rows: int) -> int:
        """Give rows numbers of a stream; return the first."""
        first = self.next_seqs[ref]
        self.next_seqs[ref] = first + rows
        return first

    def shape_ref(self, shape: Shape) -> int:
        """Return the number of a kind as it is now, made when it is new."""
        ref = self._shape_refs.get(shape)
        if ref is None:
            ref = self._shape_refs[shape] = len(self.shapes)
            self.shapes.append(shape)
            self.is_changed = True
        return ref

    def boot_ref(self, boot_id: str) -> int:
        """Return the number of a boot, from 1, made when it is new."""
        for number, boot in enumerate(self.boots, 1):
            if boot.boot_id == boot_id:
                return number
        self.boots.append(Boot(boot_id, not_before_ms=self.latest_ms))
        self.is_changed = True
        return len(self.boots)

    def count_loss(self, cause: str, rows: int) -> None:
        """Remember that rows were lost."""
        self.losses[cause] = self.losses.get(cause, 0) + rows

    def see_runs(self, runs: Iterable[Run]) -> None:
        """Move the counters past rows that are on disk. Raises DamagedChunk."""
        for ref, first_seq, rows in runs:
            if ref >= len(self.next_seqs):
                raise DamagedChunk("a chunk names a stream the snapshot does not know")
            self.next_seqs[ref] = max(self.next_seqs[ref], first_seq + rows)

    def see_time(self, boot: int, last_at: int) -> None:
        """Remember how far wall time, or a boot, has been seen."""
        if boot:
            self.boots[boot - 1].length_ms = max(self.boots[boot - 1].length_ms, last_at)
        else:
            self.latest_ms = last_at if self.latest_ms is None else max(self.latest_ms, last_at)

    def raise_floors(self, oldest_chunk: int | None) -> None:
        """Move the floors up to what was true when the oldest chunk left was written, or a bit before."""
        through, next_seqs = self._candidate
        if oldest_chunk is None or oldest_chunk > through:
            self.floors[: len(next_seqs)] = next_seqs
            self._candidate = (self.through_chunk, list(self.next_seqs))

    def encode(self) -> bytes:
        """Return a snapshot, and count it."""
        self.version += 1
        self.is_changed = False
        document = {
            "format": _FORMAT,
            "epoch": self.epoch,
            "version": self.version,
            "streams": [self.keys, self.epochs, self.next_seqs, self.floors],
            "shapes": [[shape.kind, shape.field_names] for shape in self.shapes],
            "boots": [asdict(boot) for boot in self.boots],
            "salvaged": self.salvaged,
            "losses": self.losses,
            "counters": [self.through_chunk, self.oldest_chunk, self.appended, self.settled, self.latest_ms],
        }
        payload = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return crc32(payload).to_bytes(4, "little") + payload


def decode(data: bytes) -> Directory:
    """Return the Directory of a snapshot. Raises DamagedChunk."""
    if crc32(data[4:]) != int.from_bytes(data[:4], "little"):
        raise DamagedChunk("the snapshot's checksum does not match")
    document = json.loads(data[4:])
    if document["format"] != _FORMAT:
        raise DamagedChunk("the snapshot is not of a version this hub reads", hint="was a newer hub here?")
    keys, epochs, next_seqs, floors = document["streams"]
    through_chunk, oldest_chunk, appended, settled, latest_ms = document["counters"]
    return Directory(
        document["epoch"], document["version"], keys, epochs, next_seqs, floors,
        [Shape(kind, tuple(names)) for kind, names in document["shapes"]],
        [Boot(**boot) for boot in document["boots"]],
        document["salvaged"], document["losses"], through_chunk, oldest_chunk, appended, settled, latest_ms,
        is_changed=False,
    )  # fmt: skip
