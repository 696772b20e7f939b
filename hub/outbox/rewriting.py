"""Chunks taken apart into rows and put together again: merging small ones, thinning old ones."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from hub.outbox.chunk import Columns, Run, Runs
from hub.outbox.leases import GONE
from hub.outbox.sealing import runs_of
from hub.ports import Value
from shared_schema.metrics import Metric

THIN_MS = 60_000


class StoredRow(NamedTuple):
    """One row of a chunk. at_ms: as in the chunk, from the boot where the chunk has one."""

    ref: int
    seq: int
    at_ms: int
    quality: int
    time_quality: int
    values: tuple[Value, ...]


class Gap(NamedTuple):
    """Rows of one stream that a rewrite leaves out. rows: how many between first_seq and last_seq."""

    ref: int
    first_seq: int
    last_seq: int
    rows: int
    first_at: int
    last_at: int


def unpacked(runs: Iterable[Run], columns: Columns, states: Sequence[int] | None = None) -> list[StoredRow]:
    """Return the rows of a chunk, without those that are gone."""
    identities = [(run.ref, run.first_seq + at) for run in runs for at in range(run.rows)]
    values = list(zip(*columns.values, strict=True))
    refs, seqs = zip(*identities, strict=True)
    rest = (columns.recorded_at_ms, columns.qualities, columns.time_qualities, values)
    rows = list(map(StoredRow, refs, seqs, *rest))
    return rows if states is None else [row for row, state in zip(rows, states, strict=True) if state != GONE]


def packed(rows: Iterable[StoredRow]) -> tuple[Runs, Columns]:
    """Return rows as one chunk, stream by stream. There must be at least one."""
    ordered = sorted(rows, key=lambda row: (row.ref, row.seq))
    _, _, at, qualities, time_qualities, values = zip(*ordered, strict=True)
    runs = Runs.of(runs_of((row.ref, row.seq) for row in ordered))
    return runs, Columns(at, qualities, time_qualities, list(zip(*values, strict=True)))


def thinned(rows: Iterable[StoredRow], fields: Sequence[Metric]) -> tuple[list[StoredRow], list[Gap]]:
    """Return one row per stream and minute, which keeps the last one's number and time, and what gave way."""
    kept: list[StoredRow] = []
    gaps: list[Gap] = []
    ordered = sorted(rows, key=lambda row: (row.ref, row.seq))
    for _, stream in groupby(ordered, key=lambda row: row.ref):
        gone: list[StoredRow] = []
        for _, minute in groupby(stream, key=lambda row: row.at_ms // THIN_MS):
            group = list(minute)
            kept.append(_aggregated(group, fields))
            gone += group[:-1]
        if gone:
            gaps.append(gap_of(gone))
    return kept, gaps


def gap_of(gone: Sequence[StoredRow]) -> Gap:
    """Return the gap that rows of one stream leave."""
    times = [row.at_ms for row in gone]
    return Gap(gone[0].ref, gone[0].seq, gone[-1].seq, len(gone), min(times), max(times))


def _aggregated(group: Sequence[StoredRow], fields: Sequence[Metric]) -> StoredRow:
    if len(group) == 1:
        return group[0]
    columns = zip(*(row.values for row in group), strict=True)
    return group[-1]._replace(
        quality=max(row.quality for row in group),
        time_quality=max(row.time_quality for row in group),
        values=tuple(_aggregate(column, field) for column, field in zip(columns, fields, strict=True)),
    )


def _aggregate(column: Iterable[Value], field: Metric) -> Value:
    numbers = [value for value in column if isinstance(value, int | float)]
    if not numbers:
        return None
    value = _WAYS[field.aggregate](numbers)
    return round(value) if field.decimals == 0 else round(value, field.decimals)


_WAYS: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda numbers: sum(numbers) / len(numbers),
    "min": min,
    "max": max,
    "last": lambda numbers: numbers[-1],
    "total": lambda numbers: numbers[-1],
    "sum": sum,
    "count": sum,
}
