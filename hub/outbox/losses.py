"""The loss ledger: rows dropped on purpose, or known to be gone, as rows of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.ports import Reading, Stamp
from shared_schema.enums import LossCause
from shared_schema.metrics import LOSS


@dataclass(frozen=True, slots=True)
class Loss:
    """A range of one stream's numbers with a cause.

    rows: how many of the range are gone; fewer than its length where thinning kept some between.
    first_at_ms, last_at_ms: Unix ms; None where unknown.
    """

    device_key: str
    epoch: int
    first_seq: int
    last_seq: int
    rows: int
    cause: int
    first_at_ms: int | None = None
    last_at_ms: int | None = None
    detail: str = ""

    @property
    def cause_name(self) -> str:
        """The cause in a word."""
        return LossCause.NAMES[self.cause]


def merged(losses: Iterable[Loss]) -> list[Loss]:
    """Return the losses with neighbouring ranges of one stream and cause made one."""
    result: list[Loss] = []
    for loss in sorted(losses, key=lambda loss: (loss.device_key, loss.epoch, loss.cause, loss.first_seq)):
        before = result[-1] if result else None
        if before is not None and _touches(before, loss):
            result[-1] = replace(
                before,
                last_seq=max(before.last_seq, loss.last_seq),
                rows=before.rows + loss.rows,
                first_at_ms=_earlier(before.first_at_ms, loss.first_at_ms),
                last_at_ms=_later(before.last_at_ms, loss.last_at_ms),
            )
        else:
            result.append(loss)
    return result


def _touches(before: Loss, loss: Loss) -> bool:
    same = (before.device_key, before.epoch, before.cause, before.detail)
    return (
        same == (loss.device_key, loss.epoch, loss.cause, loss.detail)
        and loss.first_seq <= before.last_seq + 1
    )


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def as_readings(losses: Sequence[Loss], hub_device_key: str, stamp: Stamp) -> list[Reading]:
    """Return the ledger rows of the losses, which the hub itself reports."""
    return [
        Reading(
            hub_device_key,
            LOSS.name,
            stamp.recorded_at_ms,
            (
                loss.device_key,
                loss.epoch,
                loss.first_seq,
                loss.last_seq,
                loss.cause_name,
                loss.first_at_ms,
                loss.last_at_ms,
                loss.detail or f"{loss.rows} rows",
            ),
            time_quality=stamp.time_quality,
        )
        for loss in losses
    ]
