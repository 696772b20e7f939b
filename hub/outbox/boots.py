"""When each boot of the machine began, as far as it is known.

Rows taken before the clock was known carry ms since their boot. They are lent only once the wall time of
that boot is known and on disk, so that their recorded_at never changes after the first attempt to send them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_schema.enums import TimeQuality


@dataclass(slots=True)
class Boot:
    """One boot. offset_ms: its wall time, Unix ms; None while unknown.

    not_before_ms: the latest wall time the outbox had seen when this boot began.
    length_ms: how far into the boot its last pending row lies.
    """

    boot_id: str
    offset_ms: int | None = None
    time_quality: int = TimeQuality.PENDING
    not_before_ms: int | None = None
    length_ms: int = 0


def place_ended(boots: Sequence[Boot], before_ms: int) -> list[int]:
    """Place the boots whose clock was never known, all of which ended by before_ms; return their indices.

    A run of them lies as early as its lower bound allows, in order, and ends before the next known boot.
    """
    placed = []
    latest_end = before_ms
    for index in reversed(range(len(boots))):
        boot = boots[index]
        if boot.offset_ms is None:
            placed.append(index)
            boot.offset_ms = latest_end - boot.length_ms
            boot.time_quality = TimeQuality.ESTIMATED
        latest_end = boot.offset_ms
    _pull_to_lower_bounds(boots, placed)
    return sorted(placed)


def _pull_to_lower_bounds(boots: Sequence[Boot], placed: list[int]) -> None:
    end_ms: int | None = None
    for index, boot in enumerate(boots):
        assert boot.offset_ms is not None
        bounds = [bound for bound in (boot.not_before_ms, end_ms) if bound is not None]
        if index in placed and bounds:
            boot.offset_ms = min(boot.offset_ms, max(bounds))
        end_ms = boot.offset_ms + boot.length_ms
