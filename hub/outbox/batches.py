"""From chunks on disk to the batch the uplink gets."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from operator import add

from hub.outbox.chunk import Columns, Runs
from hub.outbox.directory import Directory, Shape
from hub.outbox.leases import Segment
from hub.outbox.records import FailedRow
from hub.outbox.sealing import KIND_OF
from hub.ports import Batch, Value
from shared_schema.limits import TEXT_LENGTH


def batch_of(
    batch_id: int,
    lane: int,
    directory: Directory,
    segments: Sequence[Segment],
    contents: Mapping[int, tuple[Runs, Columns]],
) -> Batch:
    """Return lent rows as columns. Times that counted from a boot become wall times."""
    shape = directory.shapes[segments[0].chunk.shape]
    parts = [_part(directory, segment, *contents[segment.chunk.chunk_id]) for segment in segments]
    keys, epochs, seqs, columns = parts[0]
    if len(parts) > 1:
        keys = list(chain.from_iterable(part[0] for part in parts))
        epochs = list(chain.from_iterable(part[1] for part in parts))
        seqs = list(chain.from_iterable(part[2] for part in parts))
        columns = _joined([part[3] for part in parts])
    return Batch(
        batch_id, lane, shape.kind, keys, epochs, seqs, columns.recorded_at_ms,
        columns.qualities, columns.time_qualities, in_order_of_kind(shape, columns.values, len(seqs)),
    )  # fmt: skip


def _part(
    directory: Directory, segment: Segment, runs: Runs, columns: Columns
) -> tuple[list[str], list[int], list[int], Columns]:
    keys: list[str] = list(map(directory.keys.__getitem__, runs.refs))
    epochs: list[int] = list(map(directory.epochs.__getitem__, runs.refs))
    seqs: list[int] = list(runs.first_seqs)
    if len(seqs) < segment.chunk.rows:
        keys = list(chain.from_iterable(map(repeat, keys, runs.rows)))
        epochs = list(chain.from_iterable(map(repeat, epochs, runs.rows)))
        ends = map(add, seqs, runs.rows)
        seqs = list(chain.from_iterable(map(range, seqs, ends)))
    columns = _on_the_wall(directory, segment.chunk.boot, columns)
    at = segment.positions
    if len(at) == len(seqs):
        return keys, epochs, seqs, columns
    return [keys[i] for i in at], [epochs[i] for i in at], [seqs[i] for i in at], _picked(columns, at)


def _on_the_wall(directory: Directory, number: int, columns: Columns) -> Columns:
    if not number:
        return columns
    boot = directory.boots[number - 1]
    assert boot.offset_ms is not None
    times = [boot.offset_ms + at for at in columns.recorded_at_ms]
    return Columns(times, columns.qualities, [boot.time_quality] * len(times), columns.values)


def _picked(columns: Columns, at: Sequence[int]) -> Columns:
    return Columns(
        [columns.recorded_at_ms[i] for i in at],
        [columns.qualities[i] for i in at],
        [columns.time_qualities[i] for i in at],
        [[column[i] for i in at] for column in columns.values],
    )


def _joined(parts: Sequence[Columns]) -> Columns:
    return Columns(
        list(chain.from_iterable(part.recorded_at_ms for part in parts)),
        list(chain.from_iterable(part.qualities for part in parts)),
        list(chain.from_iterable(part.time_qualities for part in parts)),
        [list(chain.from_iterable(column)) for column in zip(*(part.values for part in parts), strict=True)],
    )


def in_order_of_kind(shape: Shape, values: Sequence[Sequence[Value]], rows: int) -> Sequence[Sequence[Value]]:
    """Return columns in the order of the kind as it is today; what it did not have then is None."""
    kind = KIND_OF.get(shape.kind)
    if kind is None or kind.field_names == shape.field_names:
        return values
    by_name = dict(zip(shape.field_names, values, strict=True))
    return [by_name.get(name) or [None] * rows for name in kind.field_names]


def batch_of_failed(batch_id: int, lane: int, rows: Sequence[FailedRow]) -> Batch:
    """Return refused rows of one kind as columns."""
    kind = KIND_OF[rows[0].kind]
    values = [json.loads(row.values) for row in rows]
    return Batch(
        batch_id, lane, kind.name,
        [row.device_key for row in rows], [row.epoch for row in rows], [row.seq for row in rows],
        [row.recorded_at_ms for row in rows],
        [row.quality for row in rows], [row.time_quality for row in rows],
        [[each.get(name) for each in values] for name in kind.field_names],
    )  # fmt: skip


def failed_row(batch: Batch, index: int, reason: str) -> FailedRow:
    """Return one row of a batch as the queue of refused rows keeps it, without its place there."""
    names = KIND_OF[batch.kind].field_names
    values = {name: column[index] for name, column in zip(names, batch.columns, strict=True)}
    return FailedRow(
        0, batch.device_keys[index], batch.epochs[index], batch.seqs[index], batch.kind,
        batch.recorded_at_ms[index], batch.qualities[index], batch.time_qualities[index],
        json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False),
        reason[:TEXT_LENGTH], 0, 0,
    )  # fmt: skip
