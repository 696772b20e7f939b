"""The protocols through which features meet. A feature knows these, never another feature."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Value = float | int | str | None


class Stamp(NamedTuple):
    """A moment on the wall, as far as it is known.

    recorded_at_ms: Unix ms UTC; with time_quality PENDING, ms since the boot instead.
    """

    recorded_at_ms: int
    time_quality: int


class Clock(Protocol):
    """Monotonic time for schedules, wall time for stamps."""

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never steps."""
        ...

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return the wall time of a monotonic moment of this boot."""
        ...


class Sample(NamedTuple):
    """The raw values of one device at one moment, decoded but not yet calibrated.

    taken_at_s: monotonic; when the reply arrived, less its wire time.
    values: in the order of the device's points; None where a point could not be read.
    """

    device_key: str
    taken_at_s: float
    values: tuple[float | int | None, ...]


class SampleSink(Protocol):
    """Takes what acquisition reads. Waits only when the outbox cannot keep up."""

    async def put(self, sample: Sample) -> None:
        """Accept one sample."""
        ...


class Reading(NamedTuple):
    """One row for one device at one time: what is stored and uploaded.

    values: in the order of the kind's fields. identity: (epoch, seq) when the device gave one itself.
    recorded_at_ms: as in Stamp.
    """

    device_key: str
    kind: str
    recorded_at_ms: int
    values: tuple[Value, ...]
    quality: int = 0
    time_quality: int = 0
    identity: tuple[int, int] | None = None


class ReadingSink(Protocol):
    """The way into the outbox."""

    async def offer(self, rows: Sequence[Reading]) -> None:
        """Hand rows to the next group commit; waits only when memory for waiting rows is full."""
        ...

    async def append(self, rows: Sequence[Reading], lane: int) -> None:
        """Store rows and return once they are on disk. An alarm does not wait for the group."""
        ...


class NumberedSink(ReadingSink, Protocol):
    """The way into the outbox for rows that come with numbers of their own, and in order."""

    async def hand_over(self, rows: Sequence[Reading], lane: int) -> Awaitable[None]:
        """Take rows as append does, but return with a promise, kept once they are on disk.

        What is handed over first is on disk first, or in the same transaction.
        """
        ...

    async def last_seq(self, device_key: str, epoch: int) -> int:
        """Return the highest number of a stream on disk, or on its way there; 0 is none."""
        ...


class NodeLink(Protocol):
    """The nodes of this hub, as the mesh sees them. Addresses are IPv4, in numbers."""

    def connected_addresses(self) -> Mapping[str, str]:
        """Return the connected nodes: address by device key."""
        ...

    def tell_hubs(self, addresses: Sequence[tuple[str, int]], return_after_s: int) -> None:
        """Tell all nodes, now and when they dial, where the other hubs of the site are: (host, port).

        return_after_s: how long a node's own hub has to be there before the node goes back to it.
        """
        ...

    def note_elsewhere(self, device_keys: Collection[str]) -> None:
        """Note which nodes other hubs of the site have now; keys with dashes for dots."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind on loan from the outbox, as columns of equal length.

    A row is named by its index. columns: one list per field of the kind, in the kind's order.
    """

    batch_id: int
    lane: int
    kind: str
    device_keys: Sequence[str]
    epochs: Sequence[int]
    seqs: Sequence[int]
    recorded_at_ms: Sequence[int]
    qualities: Sequence[int]
    time_qualities: Sequence[int]
    columns: Sequence[Sequence[Value]]

    def __len__(self) -> int:
        return len(self.seqs)


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How the outbox stands. capacity_s: how long it can go on storing at today's rate; None: unknown yet."""

    rows: int = 0
    bytes_on_disk: int = 0
    oldest_recorded_at_ms: int | None = None
    dead_letters: int = 0
    appended: int = 0
    settled: int = 0
    losses: Mapping[str, int] = field(default_factory=dict)
    capacity_s: float | None = None
    is_degraded: bool = False
    trouble: str = ""


class BatchSource(Protocol):
    """The way out of the outbox."""

    async def take(self, limit: int, lane: int) -> Batch | None:
        """Lend up to limit rows of one kind from a lane; None when there is nothing to send now."""
        ...

    async def settle(
        self, batch: Batch, stored: Collection[int], rejected: Mapping[int, str], rest_s: float = 0.0
    ) -> None:
        """Give a batch back: forget what the cloud stored, count a refusal with its reason, keep the others.

        rest_s: how long those others are not lent again; a restart forgets it.
        """
        ...

    async def end_rests(self) -> None:
        """Lend what rests before its time: what it waited for is there."""
        ...

    async def mark_backlog(self) -> None:
        """Call everything stored so far backlog; what comes now is live. Said when the cloud is back."""
        ...

    async def wait_for_rows(self) -> None:
        """Return when there may be something to take."""
        ...

    def state(self) -> OutboxState:
        """Return how the outbox stands now."""
        ...


class EventSink(Protocol):
    """Takes what an operator should know, once per cause while it lasts."""

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        """Report that something is wrong. level: info, warning, error or critical."""
        ...

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        """Report that it is right again."""
        ...
