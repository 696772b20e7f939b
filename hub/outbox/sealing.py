"""From rows as they come to chunks as they are kept.

Rules:
1. Numbers are given here and nowhere else, in the order rows came, stream by stream, without a hole.
2. Rows that were given up before they had a number get theirs first, and a ledger row each range.
3. Whatever is prepared here is written in one transaction or never.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from hub.outbox.chunk import ROWS_PER_CHUNK, Columns, Run, Runs, encode_body, encode_runs
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
_Fields = Sequence[Sequence[Any]]  # one sequence per field of Reading


def seal(directory: Directory, boot_id: str, rows: Sequence[Reading], lane: int) -> list[Draft]:
    """Number rows and make them chunks."""
    drafts = []
    for kind, is_pending, is_numbered, fields in _alike(rows):
        boot = directory.boot_ref(boot_id) if is_pending else 0
        sort = Sort(lane, directory.shape_ref(_SHAPES[kind]), boot, 0)
        number = _as_numbered if is_numbered else _newly_numbered
        for runs, (_, _, at, values, qualities, time_qualities, _) in number(directory, fields):
            columns = Columns(at, qualities, time_qualities, list(zip(*values, strict=True)))
            drafts.append(draft(directory, sort, runs, columns))
    return drafts


def draft(
    directory: Directory,
    sort: Sort,
    runs: Runs,
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


def _alike(rows: Sequence[Reading]) -> Iterator[tuple[str, bool, bool, _Fields]]:
    """Yield kind, whether times are pending, whether rows come with numbers, and the rows, field by field."""
    if not rows:
        return
    fields = list(zip(*rows, strict=True))
    _, kinds, _, _, _, time_qualities, identities = fields
    # Mostly all rows of a group are alike, and looking at each in Python would cost more than all the rest.
    unnumbered = identities.count(None)
    if (
        kinds.count(kinds[0]) == len(rows)
        and unnumbered in {0, len(rows)}
        and TimeQuality.PENDING not in time_qualities
    ):
        yield kinds[0], False, not unnumbered, fields
        return
    groups: dict[tuple[str, bool, bool], list[Reading]] = {}
    for row in rows:
        sort = (row.kind, row.time_quality == TimeQuality.PENDING, row.identity is not None)
        groups.setdefault(sort, []).append(row)
    for (kind, is_pending, is_numbered), group in groups.items():
        yield kind, is_pending, is_numbered, list(zip(*group, strict=True))


def _newly_numbered(directory: Directory, fields: _Fields) -> Iterator[tuple[Runs, _Fields]]:
    refs = directory.own_refs(fields[0])
    if (ordered := sorted(refs)) != refs:
        by_stream = itemgetter(*sorted(range(len(refs)), key=refs.__getitem__))
        refs, fields = ordered, [by_stream(field) for field in fields]
    for start in range(0, len(refs), ROWS_PER_CHUNK):
        piece = slice(start, start + ROWS_PER_CHUNK)
        counts = Counter(refs[piece])
        first_seqs = list(map(directory.assign, counts.keys(), counts.values()))
        yield Runs(list(counts), first_seqs, list(counts.values())), [field[piece] for field in fields]


def _as_numbered(directory: Directory, fields: _Fields) -> Iterator[tuple[Runs, _Fields]]:
    epochs, seqs = zip(*fields[-1], strict=True)
    streams = list(zip(fields[0], epochs, strict=True))
    refs = {stream: directory.ref_of(*stream, seq) for stream, seq in _first_of_each(streams, seqs)}
    found = list(zip(map(refs.__getitem__, streams), seqs, strict=True))
    order = sorted(range(len(found)), key=found.__getitem__)
    for start in range(0, len(order), ROWS_PER_CHUNK):
        piece = order[start : start + ROWS_PER_CHUNK]
        runs = runs_of(found[at] for at in piece)
        directory.see_runs(runs)
        yield Runs.of(runs), [[field[at] for at in piece] for field in fields]


def _first_of_each(
    streams: Sequence[tuple[str, int]], seqs: Sequence[int]
) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield every stream once, with the first of its numbers here."""
    return iter(dict(zip(reversed(streams), reversed(seqs), strict=True)).items())


def runs_of(identities: Iterable[tuple[int, int]]) -> list[Run]:
    """Return the runs of rows given by stream and number, in order of both."""
    runs: list[Run] = []
    at = 0
    # Within a run the distance between number and place is the same.
    for (ref, distance), alike in groupby(_placed(identities)):
        rows = len(list(alike))
        runs.append(Run(ref, distance + at, rows))
        at += rows
    return runs


def _placed(identities: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for at, (ref, seq) in enumerate(identities):
        yield ref, seq - at
