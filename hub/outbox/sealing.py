"""From rows as they come to chunks as they are kept.

Rules:
1. Numbers are given here and nowhere else, in the order rows came, stream by stream, without a hole.
2. Rows that were given up before they had a number get theirs first, and a ledger row each range.
3. Whatever is prepared here is written in one transaction or never.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from hub.outbox.chunk import ROWS_PER_CHUNK, Columns, Run, encode_body, encode_runs
from hub.outbox.directory import Directory, Shape
from hub.ports import Reading
from shared_schema.enums import TimeQuality
from shared_schema.metrics import KINDS, Metric


class Sort(NamedTuple):
    """What chunks must have in common to be made one."""

    lane: int
    shape: int
    boot: int
    level: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A chunk ready to be written, not compressed yet."""

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


KIND_OF = {kind.name: kind for kind in KINDS}
_SHAPES = {kind.name: Shape(kind.name, kind.field_names) for kind in KINDS}
_DECIMALS = {
    kind.name: tuple(field.decimals if isinstance(field, Metric) else None for field in kind.fields)
    for kind in KINDS
}
_Group = list[Reading]


def seal(directory: Directory, boot_id: str, rows: Iterable[Reading], lane: int) -> list[Draft]:
    """Number rows and make them chunks."""
    drafts = []
    for (kind, is_pending), streams in _grouped(directory, rows).items():
        boot = directory.boot_ref(boot_id) if is_pending else 0
        shape = directory.shape_ref(_SHAPES[kind])
        for runs, piece in _pieces(directory, streams):
            _, _, at, values, qualities, time_qualities, _ = zip(*piece, strict=True)
            columns = Columns(at, qualities, time_qualities, list(zip(*values, strict=True)))
            sort = Sort(lane, shape, boot, 0)
            drafts.append(draft(directory, sort, runs, columns))
    return drafts


def draft(
    directory: Directory,
    sort: Sort,
    runs: Sequence[Run],
    columns: Columns,
    chunk_id: int | None = None,
) -> Draft:
    """Make one chunk of numbered rows; chunk_id: of the chunk it replaces, None for a new one."""
    if chunk_id is None:
        directory.through_chunk += 1
        chunk_id = directory.through_chunk
    first_at, last_at = min(columns.recorded_at_ms), max(columns.recorded_at_ms)
    directory.see_time(sort.boot, last_at)
    shape = directory.shapes[sort.shape]
    body = encode_body(columns, decimals_of(shape.kind, shape.field_names))
    rows = len(columns.recorded_at_ms)
    return Draft(chunk_id, *sort, rows, first_at, last_at, encode_runs(runs), body)


def decimals_of(kind: str, field_names: Sequence[str]) -> tuple[int | None, ...]:
    """Return the decimals of fields of a kind; None where there are none, or none known any more."""
    if kind not in KIND_OF:
        return (None,) * len(field_names)
    if KIND_OF[kind].field_names == field_names:
        return _DECIMALS[kind]
    by_name = dict(zip(KIND_OF[kind].field_names, _DECIMALS[kind], strict=True))
    return tuple(by_name.get(name) for name in field_names)


def _grouped(directory: Directory, rows: Iterable[Reading]) -> dict[tuple[str, bool], dict[int, _Group]]:
    groups: dict[tuple[str, bool], dict[int, _Group]] = {}
    own, find = directory.epoch, directory.ref_of
    for row in rows:
        device_key, kind, _, _, _, time_quality, identity = row
        ref = find(device_key, own) if identity is None else find(device_key, *identity)
        streams = groups.setdefault((kind, time_quality == TimeQuality.PENDING), {})
        group = streams.get(ref)
        if group is None:
            group = streams[ref] = []
        group.append(row)
    return groups


def _pieces(directory: Directory, streams: Mapping[int, _Group]) -> Iterator[tuple[list[Run], _Group]]:
    runs: list[Run] = []
    piece: _Group = []
    for ref, group in sorted(streams.items(), key=itemgetter(0)):
        for first_seq, part in _numbered(directory, ref, group):
            at = 0
            while at < len(part):
                room = ROWS_PER_CHUNK - len(piece)
                taken = part[at : at + room]
                runs.append(Run(ref, first_seq + at, len(taken)))
                piece += taken
                at += len(taken)
                if len(piece) == ROWS_PER_CHUNK:
                    yield runs, piece
                    runs, piece = [], []
    if piece:
        yield runs, piece


def _numbered(directory: Directory, ref: int, group: _Group) -> Iterator[tuple[int, _Group]]:
    if directory.epochs[ref] == directory.epoch and group[0].identity is None:
        yield directory.assign(ref, len(group)), group
        return
    start = 0
    for at in range(1, len(group) + 1):
        if at == len(group) or _seq(group[at]) != _seq(group[at - 1]) + 1:
            directory.see_runs((Run(ref, _seq(group[start]), at - start),))
            yield _seq(group[start]), group[start:at]
            start = at


def _seq(row: Reading) -> int:
    assert row.identity is not None
    return row.identity[1]
