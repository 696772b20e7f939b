"""A batch on its way: what is known of its rows so far."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.ports import Batch
from hub.uplink.outcome import Outcome


@dataclass(slots=True)
class Parcel:
    """Rows are named by their index in the batch.

    unknown: device key by row, for devices the cloud does not know. trouble: what stopped the delivery.
    """

    batch: Batch
    stored: set[int] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    trouble: Outcome | None = None
    was_too_large: bool = False

    def open_rows(self) -> Sequence[int]:
        """Return the rows that are neither stored nor rejected."""
        if not self.has_news:
            return range(len(self.batch))
        return [row for row in range(len(self.batch)) if row not in self.stored and row not in self.rejected]

    @property
    def has_news(self) -> bool:
        """True when there is something to tell the outbox."""
        return bool(self.stored or self.rejected)


class Parking:
    """Parcels that wait for an operator, on loan so that others pass them. Bounded in rows."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._parcels: deque[Parcel] = deque()
        self.rows = 0

    def __len__(self) -> int:
        return len(self._parcels)

    def put(self, parcel: Parcel) -> bool:
        """Take a parcel in; False when there is no room."""
        size = len(parcel.batch)
        if self.rows + size > self._max_rows:
            return False
        self._parcels.append(parcel)
        self.rows += size
        return True

    def take(self) -> Parcel:
        """Hand out the parcel that has waited longest. Raises: IndexError when there is none."""
        parcel = self._parcels.popleft()
        self.rows -= len(parcel.batch)
        return parcel
