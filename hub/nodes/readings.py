"""From a node's columns to the rows the outbox stores, and what cannot be stored to the ledger of losses.

Whole columns at a time: this is what a hub of a thousand nodes spends its time with.
Rule 1: recorded_at and the numbers stay as the node gave them.
Rule 2: a row of a time the cloud would refuse is not stored and not refused either: it is a loss with a
    cause. Refused rows would come again for ever, and hold up all behind them.
Rule 3: a value that the quantity cannot have becomes none, and its row's quality bad, as with transmitters.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby, repeat
from operator import truediv
from typing import NamedTuple

from hub.ports import Reading, Stamp, Value
from shared_schema.batches import Columns
from shared_schema.enums import LossCause, Quality
from shared_schema.limits import FUTURE_MS, RETENTION_MS
from shared_schema.metrics import KINDS, LOSS, Field, Metric
from shared_schema.packing import EARLIEST_MS


class Span(NamedTuple):
    """Times, in Unix ms, that the cloud takes."""

    first_ms: int
    last_ms: int


class Lost(NamedTuple):
    """Rows of a node that are gone. cause: of LossCause."""

    first_seq: int
    last_seq: int
    cause: int
    first_at_ms: int
    last_at_ms: int
    detail: str


class Scale(NamedTuple):
    """What a column's whole numbers mean: value = number / divisor, from low to high."""

    divisor: int
    low: float
    high: float


def _scale_of(metric: Field) -> Scale:
    assert isinstance(metric, Metric)
    divisor = 10**metric.decimals
    return Scale(divisor, metric.low * divisor, metric.high * divisor)


_AS_READING = partial(tuple.__new__, Reading)  # as Reading._make, without a call in Python for each
_NAMES = {kind.id: kind.name for kind in KINDS}
_SCALES = {kind.id: tuple(map(_scale_of, kind.fields)) for kind in KINDS if kind.is_telemetry}


def span_at(now_ms: int) -> Span:
    """Return the times that can be stored now."""
    return Span(now_ms - RETENTION_MS, now_ms + FUTURE_MS)


def rows_of(device_key: str, epoch: int, columns: Columns) -> list[Reading]:
    """Return a batch as rows, with the identities the node gave them."""
    scales = _SCALES[columns.kind_id]
    qualities = columns.qualities
    values: list[Sequence[Value]] = []
    for numbers, scale in zip(columns.columns, scales, strict=True):
        if numbers.count(None) == len(numbers):
            values.append(numbers)
            continue
        known = [number for number in numbers if number is not None] if None in numbers else numbers
        if min(known) < scale.low or max(known) > scale.high:  # type: ignore[type-var, operator]
            sound, qualities = _within(numbers, scale, qualities)
            values.append(_scaled(sound, scale.divisor))
        else:
            values.append(_scaled(numbers, scale.divisor))
    first = columns.first_seq
    identities = zip(repeat(epoch), range(first, first + len(columns.at_ms)))
    fields = (repeat(device_key), repeat(_NAMES[columns.kind_id]), columns.at_ms, zip(*values, strict=True),
              qualities, columns.time_qualities, identities)  # fmt: skip
    return list(map(_AS_READING, zip(*fields)))  # noqa: B905 - some repeat for ever


def _scaled(numbers: Sequence[int | None], divisor: int) -> Sequence[Value]:
    if divisor == 1:
        return numbers
    if None in numbers:
        return [None if number is None else number / divisor for number in numbers]
    return list(map(truediv, numbers, repeat(divisor)))


def _within(
    numbers: Sequence[int | None], scale: Scale, qualities: Sequence[int]
) -> tuple[list[int | None], list[int]]:
    """Return the column without impossible numbers, and the qualities of the rows."""
    sound = [None if n is not None and not scale.low <= n <= scale.high else n for n in numbers]
    return sound, [
        Quality.BAD if now is None and before is not None else quality
        for now, before, quality in zip(sound, numbers, qualities, strict=True)
    ]


def are_all_within(columns: Columns, span: Span) -> bool:
    """Whether every row's time can be stored."""
    return min(columns.at_ms) >= span.first_ms and max(columns.at_ms) <= span.last_ms


def without_wrong_times(rows: Sequence[Reading], span: Span) -> tuple[list[Reading], list[Lost]]:
    """Return the rows that can be stored, and the others as losses, neighbours together."""
    kept: list[Reading] = []
    lost: list[Lost] = []
    for cause, alike in groupby(rows, key=lambda row: _cause_of(row, span)):
        if cause is None:
            kept += alike
        else:
            lost.append(_lost(list(alike), cause))
    return kept, lost


def _cause_of(row: Reading, span: Span) -> int | None:
    if row.recorded_at_ms > span.last_ms:
        return LossCause.CLOCK
    return LossCause.REJECTED if row.recorded_at_ms < span.first_ms else None


_DETAILS = {
    LossCause.CLOCK: "recorded in the future: the node's clock was wrong",
    LossCause.REJECTED: "recorded longer ago than the cloud keeps rows",
}


def _lost(rows: Sequence[Reading], cause: int) -> Lost:
    times = [row.recorded_at_ms for row in rows]
    seqs = [row.identity[1] for row in rows if row.identity is not None]
    return Lost(seqs[0], seqs[-1], cause, min(times), max(times), _DETAILS[cause])


def ledger_rows(
    device_key: str, epoch: int, losses: Iterable[Lost], hub_key: str, stamp: Stamp
) -> list[Reading]:
    """Return the rows of the loss ledger, which the hub itself reports."""
    return [
        Reading(
            hub_key,
            LOSS.name,
            stamp.recorded_at_ms,
            (device_key, epoch, lost.first_seq, lost.last_seq, LossCause.NAMES[lost.cause],
             _instant(lost.first_at_ms), _instant(lost.last_at_ms), lost.detail),
            time_quality=stamp.time_quality,
        )
        for lost in losses
    ]  # fmt: skip


def _instant(at_ms: int) -> int | None:
    """Return a wall time; None for what a node without a clock counts from its boot."""
    return at_ms if at_ms >= EARLIEST_MS else None
