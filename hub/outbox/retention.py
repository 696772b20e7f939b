"""Which chunks to merge, to thin or to evict when the outbox outgrows its bounds.

Order of sacrifice: telemetry finer than a minute is thinned first, oldest first; then the oldest telemetry is
evicted; then alarms and command results. Ledger rows are never given up: they are what explains the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from hub.outbox.chunk import ROWS_PER_CHUNK
from hub.outbox.leases import Chunk
from hub.outbox.records import Usage
from shared_schema.enums import Lane

MERGE_CHUNKS = 64  # at a time; one transaction stays short
SMALL_ROWS = ROWS_PER_CHUNK // 2
THIN_CHUNKS = 16
EVICT_SHARE = 50  # one part in so many is evicted at a time, so that evicting is not done at every commit
FULL_AT = 0.97  # of a bound; the rest is room for what comes while room is being made
SPARE_BYTES = 1_000_000  # a disk without room still holds an outbox of this size

MERGED, THINNED = 1, 2


def room_bytes(usage: Usage, max_bytes: int, min_free_bytes: int) -> int:
    """Return how many bytes the outbox may use now; on a disk without room, what the file has must do."""
    if usage.disk_free >= min_free_bytes:
        return min(max_bytes, usage.used + usage.disk_free - min_free_bytes)
    return min(max_bytes, max(usage.file, SPARE_BYTES))


def is_full(rows: int, used_bytes: int, max_rows: int, max_bytes: int) -> bool:
    """Whether room has to be made."""
    return rows > FULL_AT * max_rows or used_bytes > FULL_AT * max_bytes


def to_merge(idle: Iterable[Chunk], newest: int) -> list[Chunk]:
    """Return small chunks of one sort that fit into one, none newer than newest; few are not worth it."""
    sorts: dict[tuple[int, int, int, int], list[Chunk]] = {}
    for chunk in idle:
        if chunk.chunk_id > newest or chunk.left > SMALL_ROWS:
            continue
        group = sorts.setdefault((chunk.lane, chunk.shape, chunk.boot, chunk.level & THINNED), [])
        rows = sum(each.left for each in group)
        if len(group) == MERGE_CHUNKS or rows + chunk.left > ROWS_PER_CHUNK:
            return group
        group.append(chunk)
    full = [group for group in sorts.values() if len(group) == MERGE_CHUNKS]
    return full[0] if full else []


def to_thin(idle: Iterable[Chunk], is_telemetry: Callable[[Chunk], bool]) -> list[Chunk]:
    """Return the oldest telemetry that was not thinned yet, of one sort; a single chunk is enough."""
    picked: list[Chunk] = []
    for chunk in idle:
        if chunk.lane == Lane.ALARM or chunk.level & THINNED or not is_telemetry(chunk):
            continue
        if not picked or (chunk.shape, chunk.boot) == (picked[0].shape, picked[0].boot):
            picked.append(chunk)
        if len(picked) == THIN_CHUNKS:
            break
    return picked


def to_evict(idle: Sequence[Chunk], rows: int, is_ledger: Callable[[Chunk], bool]) -> list[Chunk]:
    """Return the oldest chunks worth giving up: telemetry, and alarms only when nothing else is left."""
    telemetry = [chunk for chunk in idle if chunk.lane != Lane.ALARM and not is_ledger(chunk)]
    alarms = [chunk for chunk in idle if chunk.lane == Lane.ALARM and not is_ledger(chunk)]
    wanted = max(1, rows // EVICT_SHARE)
    picked: list[Chunk] = []
    for chunk in islice(telemetry or alarms, 64):
        if wanted <= 0:
            break
        picked.append(chunk)
        wanted -= chunk.left
    return picked
