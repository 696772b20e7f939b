"""A batch on its way: what is known of its rows so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.ports import Batch
from hub.uplink.outcome import Outcome


@dataclass(slots=True)
class Parcel:
    """Rows are named by their index in the batch.

    unknown: device key by row, for devices the cloud does not know. trouble: what stopped the delivery.
    is_asked: whether the cloud was asked about any row.
    """

    batch: Batch
    stored: set[int] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    trouble: Outcome | None = None
    was_too_large: bool = False
    is_asked: bool = False

    def open_rows(self) -> Sequence[int]:
        """Return the rows that are neither stored nor rejected."""
        if not self.has_news:
            return range(len(self.batch))
        return [row for row in range(len(self.batch)) if row not in self.stored and row not in self.rejected]

    @property
    def has_news(self) -> bool:
        """True when there is something to tell the outbox."""
        return bool(self.stored or self.rejected)
