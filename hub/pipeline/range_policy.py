"""What a quantity can be, and what happens to a value that is not."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, NamedTuple

from shared_schema.enums import Quality

Policy = Literal["reject", "clamp"]
Reason = Literal[
    "",
    "unread",
    "wrong_type",
    "not_a_number",
    "below_range",
    "above_range",
    "clamped",
    "uncalibrated",
    "held",
    "restarted",
    "replaced",
]


class Judged(NamedTuple):
    """A value as far as it can be used, how good it is, and what was wrong with it."""

    value: float | None
    quality: int = Quality.GOOD
    reason: Reason = ""


@dataclass(frozen=True, slots=True)
class RangePolicy:
    """Inclusive bounds. "reject": a value outside is none. "clamp": it is the bound, and uncertain."""

    low: float
    high: float
    policy: Policy = "reject"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"the range from {self.low:g} to {self.high:g} is empty")

    def judge(self, value: float) -> Judged:
        """Return the value if it is possible."""
        if self.low <= value <= self.high:
            return Judged(value)
        if self.policy == "clamp":
            return Judged(min(max(value, self.low), self.high), Quality.UNCERTAIN, "clamped")
        return Judged(None, Quality.BAD, "below_range" if value < self.low else "above_range")


def number_of(raw: object) -> float | Reason:
    """Return raw as a finite float, or why it is none."""
    if raw is None:
        return "unread"
    if not isinstance(raw, (int, float)):
        return "wrong_type"
    try:
        number = float(raw)
    except OverflowError:
        return "not_a_number"
    return number if isfinite(number) else "not_a_number"
