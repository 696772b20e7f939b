"""Which rows lie in the outbox, which are on loan, and which may be lent next.

Rules:
1. A row is free, lent, resting or gone. Only free rows are lent; lent rows become free, resting or gone;
   resting rows become free when their time is over.
2. A chunk that is reserved for rewriting is not lent, and a chunk of which a row is lent is not reserved.
3. Oldest first within a lane and kind; a batch has rows of one kind only.
4. Rows of a boot whose clock is unknown are held back, wherever they lie.
5. What has rested is backlog: it came first and would otherwise go before all that is new.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from shared_schema.enums import Lane

GONE, FREE, LENT, RESTING = range(4)

WAKEN_AT_ONCE = 256  # chunks whose rest ends in one step: a take does not wait for a hundred thousand


@dataclass(slots=True, eq=False)
class Chunk:
    """What is remembered of a chunk.

    states: of its rows, None while all are free or all rest. size: bytes on disk.
    rest_ends_s: of the row that rests longest, 0 while none does.
    """

    chunk_id: int
    lane: int
    shape: int
    boot: int
    level: int
    rows: int
    first_at: int
    last_at: int
    size: int
    left: int = 0
    free: int = 0
    states: bytearray | None = None
    is_queued: bool = False
    is_reserved: bool = False
    resting: int = 0
    rest_ends_s: float = 0.0
    has_rested: bool = False

    def __post_init__(self) -> None:
        self.left = self.free = self.rows
        if self.states is not None:
            self.left = self.free = self.states.count(FREE)


@dataclass(frozen=True, slots=True)
class Segment:
    """Lent rows of one chunk, by position."""

    chunk: Chunk
    positions: Sequence[int]


@dataclass(slots=True)
class Shelf:
    """Every chunk on disk. mark: the last chunk that is backlog."""

    is_held: Callable[[Chunk], bool]
    mark: int = 0
    chunks: dict[int, Chunk] = field(default_factory=dict)
    rows: int = 0
    size: int = 0
    done: list[int] = field(default_factory=list)
    touched: dict[int, Chunk] = field(default_factory=dict)
    _queues: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    _resting: list[tuple[float, int, Chunk]] = field(default_factory=list)
    _ended: deque[Chunk] = field(default_factory=deque)
    _rests: int = 0

    def add(self, chunk: Chunk) -> None:
        """Put a chunk on the shelf, in the place of one with the same id."""
        self.forget(chunk.chunk_id)
        self.chunks[chunk.chunk_id] = chunk
        self.rows += chunk.left
        self.size += chunk.size
        self._queue(chunk)

    def forget(self, chunk_id: int) -> None:
        """Take a chunk off the shelf, whatever its state."""
        chunk = self.chunks.pop(chunk_id, None)
        if chunk is not None:
            self.rows -= chunk.left
            self.size -= chunk.size
            self.touched.pop(chunk_id, None)

    def lane_of(self, chunk: Chunk) -> int:
        """Return the lane a chunk is in now."""
        if chunk.lane == Lane.ALARM and not chunk.has_rested:
            return Lane.ALARM
        return Lane.BACKLOG if chunk.has_rested or chunk.chunk_id <= self.mark else Lane.LIVE

    def _queue(self, chunk: Chunk) -> None:
        if chunk.free and not (chunk.is_queued or chunk.is_reserved or self.is_held(chunk)):
            chunk.is_queued = True
            heappush(self._queues.setdefault((self.lane_of(chunk), chunk.shape), []), chunk.chunk_id)

    def queue_all(self) -> None:
        """Look again at what was held back."""
        for chunk in self.chunks.values():
            self._queue(chunk)

    def mark_backlog(self, last_chunk: int) -> None:
        """Call everything up to a chunk backlog."""
        self.mark = last_chunk
        for (lane, shape), queue in list(self._queues.items()):
            if lane == Lane.LIVE:
                backlog = self._queues.setdefault((Lane.BACKLOG, shape), [])
                backlog.extend(queue)
                heapify(backlog)
                queue.clear()

    def lend(self, lane: int, limit: int) -> list[Segment]:
        """Lend up to limit rows of one kind."""
        shape = self._oldest_shape(lane)
        segments: list[Segment] = []
        if shape is None:
            return segments
        queue = self._queues[lane, shape]
        while limit > 0 and (chunk := self._head(queue)) is not None:
            heappop(queue)
            chunk.is_queued = False
            segments.append(_lend(chunk, limit))
            limit -= len(segments[-1].positions)
            self._queue(chunk)
        return segments

    def has_something(self) -> bool:
        """Whether any lane has a row to lend."""
        return any(self._head(queue) is not None for queue in self._queues.values())

    def next_due_s(self) -> float | None:
        """Return when the next rest ends, at the earliest."""
        if self._ended:
            return 0.0
        return self._resting[0][0] if self._resting else None

    def end_rests(self) -> None:
        """End every rest before its time."""
        self._ended.extend(chunk for _, _, chunk in self._resting)
        self._resting = []

    def wake(self, now_s: float) -> None:
        """Let some chunks whose rest is over be lent again; the others are still due."""
        for _ in range(WAKEN_AT_ONCE):
            is_ended = bool(self._ended)
            if is_ended:
                chunk = self._ended.popleft()
            elif self._resting and self._resting[0][0] <= now_s:
                _, _, chunk = heappop(self._resting)
            else:
                return
            if self.chunks.get(chunk.chunk_id) is not chunk:
                continue
            if chunk.rest_ends_s > now_s and not is_ended:
                self._push_rest(chunk)
            else:
                _wake(chunk)
                self._queue(chunk)

    def _rest(self, chunk: Chunk, until_s: float) -> None:
        is_new = not chunk.rest_ends_s
        chunk.rest_ends_s = max(chunk.rest_ends_s, until_s)
        if is_new:
            self._push_rest(chunk)

    def _push_rest(self, chunk: Chunk) -> None:
        self._rests += 1  # no two entries are alike, so that chunks are never compared
        heappush(self._resting, (chunk.rest_ends_s, self._rests, chunk))

    def _oldest_shape(self, lane: int) -> int | None:
        heads = [
            (head.chunk_id, shape)
            for (each, shape), queue in self._queues.items()
            if each == lane and (head := self._head(queue)) is not None
        ]
        return min(heads)[1] if heads else None

    def _head(self, queue: list[int]) -> Chunk | None:
        while queue:
            chunk = self.chunks.get(queue[0])
            if chunk is not None and chunk.is_queued:
                return chunk
            heappop(queue)
        return None

    def give_back(
        self, segments: Iterable[Segment], state_of: Callable[[int], int], rest_until_s: float = 0.0
    ) -> int:
        """End a loan. state_of: what the row at an index of the batch is now; return how many are gone."""
        index = left = 0
        for chunk, positions in ((segment.chunk, segment.positions) for segment in segments):
            first, index = index, index + len(positions)
            if self.chunks.get(chunk.chunk_id) is not chunk or chunk.states is None:
                continue
            for at, position in enumerate(positions, first):
                chunk.states[position] = state_of(at)
            left += self._settle(chunk, rest_until_s)
        return left

    def give_back_whole(self, segments: Iterable[Segment]) -> int:
        """End a loan of which every row has left; return how many those are."""
        left = 0
        for chunk, positions in ((segment.chunk, segment.positions) for segment in segments):
            if self.chunks.get(chunk.chunk_id) is not chunk or chunk.states is None:
                continue
            if len(positions) == chunk.rows:
                chunk.states = bytearray(chunk.rows)
            else:
                for position in positions:
                    chunk.states[position] = GONE
            left += self._settle(chunk)
        return left

    def _settle(self, chunk: Chunk, rest_until_s: float = 0.0) -> int:
        assert chunk.states is not None
        before, rested = chunk.left, chunk.resting
        chunk.free, chunk.resting = chunk.states.count(FREE), chunk.states.count(RESTING)
        chunk.left = chunk.free + chunk.resting + chunk.states.count(LENT)
        self.rows -= before - chunk.left
        if chunk.left == 0:
            self.forget(chunk.chunk_id)
            self.done.append(chunk.chunk_id)
        else:
            if chunk.left != before:
                self.touched[chunk.chunk_id] = chunk
            if chunk.resting > rested:
                self._rest(chunk, rest_until_s)
            if chunk.rows in (chunk.free, chunk.resting):
                chunk.states = None
            self._queue(chunk)
        return before - chunk.left

    def idle(self) -> Iterator[Chunk]:
        """Yield the chunks nobody has on loan, oldest first."""
        for chunk_id in sorted(self.chunks):
            chunk = self.chunks[chunk_id]
            if not chunk.is_reserved and chunk.free + chunk.resting == chunk.left:
                yield chunk

    def reserve(self, chunks: Collection[Chunk]) -> None:
        """Keep chunks from being lent until they are replaced or released."""
        for chunk in chunks:
            chunk.is_reserved, chunk.is_queued = True, False

    def release(self, chunks: Collection[Chunk]) -> None:
        """Let reserved chunks be lent again."""
        for chunk in chunks:
            chunk.is_reserved = False
            if self.chunks.get(chunk.chunk_id) is chunk:
                self._queue(chunk)


def _lend(chunk: Chunk, limit: int) -> Segment:
    if chunk.states is None:
        chunk.states = bytearray((FREE,)) * chunk.rows
    positions: Sequence[int]
    if chunk.free == chunk.rows <= limit:
        positions = range(chunk.rows)
        chunk.states = bytearray((LENT,)) * chunk.rows
    else:
        positions = [at for at, state in enumerate(chunk.states) if state == FREE][:limit]
        for position in positions:
            chunk.states[position] = LENT
    chunk.free -= len(positions)
    return Segment(chunk, positions)


def _wake(chunk: Chunk) -> None:
    if chunk.states is not None:
        chunk.states = chunk.states.replace(bytes((RESTING,)), bytes((FREE,)))
    chunk.free += chunk.resting
    chunk.resting, chunk.rest_ends_s, chunk.has_rested = 0, 0.0, True
