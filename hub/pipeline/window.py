"""Many values become one: over a window of the wall clock, or over the span behind each value."""

from collections import deque
from collections.abc import Callable, Sequence
from math import fsum
from typing import NamedTuple, Protocol

from hub.ports import Stamp

LATE_MS = 5_000  # a sample may arrive this long after its window was closed; it then counts to the next one
ROLLING_BUCKETS = 60  # memory of a rolling mean, whatever the rate of its values


class Accumulator(Protocol):
    """Takes the values of one metric in one window."""

    def add(self, value: float) -> None:
        """Take one value."""
        ...

    def result(self) -> float | None:
        """Return the window's value; None when it saw none."""
        ...


class Mean:
    """The mean, by compensated summation of the parts fsum keeps exact."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._lost = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Take one value."""
        # Kahan (1965): what an addition loses is carried into the next one.
        carried = value - self._lost
        summed = self._sum + carried
        self._lost = (summed - self._sum) - carried
        self._sum = summed
        self._count += 1

    def result(self) -> float | None:
        """Return the mean."""
        return self._sum / self._count if self._count else None


class Sum(Mean):
    """The sum."""

    def result(self) -> float | None:
        """Return the sum."""
        return self._sum if self._count else None


class Count:
    """How many values there were; 0 is an answer."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: float) -> None:  # noqa: ARG002
        """Take one value."""
        self._count += 1

    def result(self) -> float | None:
        """Return the number of values."""
        return float(self._count)


class Chosen:
    """One of the values: choose says which of two stays."""

    def __init__(self, choose: Callable[[float, float], float]) -> None:
        self._choose = choose
        self._value: float | None = None

    def add(self, value: float) -> None:
        """Take one value."""
        self._value = value if self._value is None else self._choose(self._value, value)

    def result(self) -> float | None:
        """Return the value that stayed."""
        return self._value


def _smaller(a: float, b: float) -> float:
    return min(b, a)


def _larger(a: float, b: float) -> float:
    return max(b, a)


def _later(_: float, b: float) -> float:
    return b


# A total is counted before it comes here (counter.Counter), so the last one is the window's.
ACCUMULATORS: dict[str, Callable[[], Accumulator]] = {
    "mean": Mean,
    "sum": Sum,
    "count": Count,
    "min": lambda: Chosen(_smaller),
    "max": lambda: Chosen(_larger),
    "last": lambda: Chosen(_later),
    "total": lambda: Chosen(_later),
}


class Span(NamedTuple):
    """Which window a moment belongs to. Windows of different time qualities are never the same."""

    number: int
    is_pending: bool


class Closed(NamedTuple):
    """A finished window. recorded_at_ms: its end; cut short, its last sample."""

    recorded_at_ms: int
    time_quality: int
    values: list[float | None]
    samples: int
    is_sure: bool


class Window:
    """Collects the values of one device and gives them back window by window.

    Windows are aligned to multiples of their length: of Unix time once that is known, of the boot before.
    A window ends early when the clock comes to be known or steps to another window.
    is_sure of what closes: so was every sample in it.
    """

    def __init__(self, length_s: float, aggregates: tuple[str, ...], pending_quality: int) -> None:
        self._length_ms = round(length_s * 1000)
        self._makers = tuple(ACCUMULATORS[name] for name in aggregates)
        self._pending_quality = pending_quality
        self._span: Span | None = None
        self._accumulators: list[Accumulator] = []
        self._last = Stamp(0, 0)
        self._samples = 0
        self._is_sure = True

    def add(self, stamp: Stamp, values: Sequence[float | None], *, is_sure: bool) -> Closed | None:
        """Take the values of one sample; return the window it ended."""
        span = self._span_of(stamp)
        closed = None
        if self._span is not None and not self._belongs(span, stamp):
            closed = self._close(self._span, is_over=self._is_over(self._span, span))
        if self._span is None:
            self._open(span)
        self._last = stamp
        self._samples += 1
        self._is_sure &= is_sure
        for accumulator, value in zip(self._accumulators, values, strict=True):
            if value is not None:
                accumulator.add(value)
        return closed

    def due(self, now: Stamp, grace_ms: int) -> Closed | None:
        """Return the open window once it has been over for grace_ms."""
        if self._span is None:
            return None
        then = self._span_of(Stamp(now.recorded_at_ms - grace_ms, now.time_quality))
        is_over = self._is_over(self._span, then)
        if not is_over and then.is_pending == self._span.is_pending:
            return None
        return self._close(self._span, is_over=is_over)

    def cut(self) -> Closed | None:
        """Return the open window as it is: the hub stops, or the device fell silent."""
        return None if self._span is None else self._close(self._span, is_over=False)

    def _belongs(self, span: Span, stamp: Stamp) -> bool:
        if span == self._span:
            return True
        if self._span is None or span.is_pending != self._span.is_pending:
            return False
        is_earlier = span.number < self._span.number
        return is_earlier and self._span.number * self._length_ms - stamp.recorded_at_ms <= LATE_MS

    @staticmethod
    def _is_over(span: Span, then: Span) -> bool:
        return span.is_pending == then.is_pending and then.number > span.number

    def _span_of(self, stamp: Stamp) -> Span:
        return Span(stamp.recorded_at_ms // self._length_ms, stamp.time_quality == self._pending_quality)

    def _open(self, span: Span) -> None:
        self._span = span
        self._accumulators = [make() for make in self._makers]
        self._samples = 0
        self._is_sure = True

    def _close(self, span: Span, *, is_over: bool) -> Closed:
        end_ms = (span.number + 1) * self._length_ms
        self._span = None
        return Closed(
            end_ms if is_over else self._last.recorded_at_ms,
            self._last.time_quality,
            [accumulator.result() for accumulator in self._accumulators],
            self._samples,
            self._is_sure,
        )


class RollingMean:
    """The mean of the last span_s seconds, exact to one sixtieth of the span, in bounded memory."""

    def __init__(self, span_s: float) -> None:
        self._bucket_s = span_s / ROLLING_BUCKETS
        self._buckets: deque[tuple[int, float, int]] = deque(maxlen=ROLLING_BUCKETS)

    def add(self, value: float, at_s: float) -> float:
        """Take a value at a monotonic moment; return the mean of the span that ends there."""
        number = int(at_s / self._bucket_s)
        while self._buckets and self._buckets[0][0] <= number - ROLLING_BUCKETS:
            self._buckets.popleft()
        if self._buckets and self._buckets[-1][0] >= number:
            last, summed, count = self._buckets.pop()
            self._buckets.append((last, summed + value, count + 1))
        else:
            self._buckets.append((number, value, 1))
        return fsum(bucket[1] for bucket in self._buckets) / sum(bucket[2] for bucket in self._buckets)
