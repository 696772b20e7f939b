"""What a slave refuses to be read: found by halving, remembered by model, never asked again.

A request that answers exception 2 or 3 is halved until it is known whether a hole between points is to
blame, a point itself, or the length alone.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.modbus.plan import Avoid, Span, smaller
from hub.modbus.registers import BIT_TABLES

Probe = Generator[tuple[int, int], bool, bool]


@dataclass(slots=True)
class Findings:
    """What halving one request found. refused: spans of points that are themselves illegal."""

    holes: list[tuple[int, int]] = field(default_factory=list)
    refused: list[Span] = field(default_factory=list)
    longest: int | None = None


def halve(spans: Sequence[Span], findings: Findings) -> Probe:
    """Find out why the read of all spans is refused. Yields (address, count) to read, takes whether it may.

    Every step reads less than the one before it, and no read is repeated.
    """
    if len(spans) == 1:
        findings.refused.append(spans[0])
        return False
    middle = len(spans) // 2
    left, right = spans[:middle], spans[middle:]
    is_left_good = yield from _ask(left, findings)
    is_right_good = yield from _ask(right, findings)
    if is_left_good and is_right_good:
        _blame(left, right, findings)
    return False


def _ask(spans: Sequence[Span], findings: Findings) -> Probe:
    is_good = yield spans[0].start, spans[-1].end - spans[0].start
    if not is_good:
        yield from halve(spans, findings)
    return is_good


def _blame(left: Sequence[Span], right: Sequence[Span], findings: Findings) -> None:
    """Both halves are good: the hole between them is to blame, or if there is none, the length."""
    if left[-1].end < right[0].start:
        findings.holes.append((left[-1].end, right[0].start))
        return
    width = max(left[-1].end - left[0].start, right[-1].end - right[0].start)
    findings.longest = min(width, findings.longest or width)


class HoleMemory:
    """What was learned, by model of transmitter or by slave. is_changed: since it was written down last."""

    def __init__(self) -> None:
        self.is_changed = False
        self._avoid: dict[str, Avoid] = {}

    def avoid(self, key: str) -> Avoid:
        """Return what not to ask of slaves of this key."""
        return self._avoid.get(key, Avoid())

    def learn(self, key: str, table: str, findings: Findings) -> None:
        """Add what halving found."""
        known = self.avoid(key)
        holes = known.holes | {(table, start, end) for start, end in findings.holes}
        learned = replace(known, holes=holes)
        if table in BIT_TABLES:
            learned = replace(learned, max_bits=smaller(known.max_bits, findings.longest))
        else:
            learned = replace(learned, max_registers=smaller(known.max_registers, findings.longest))
        self._set(key, learned)

    def stop_bridging(self, key: str) -> None:
        """Never again read along what nobody wants."""
        self._set(key, replace(self.avoid(key), bridges=False))

    def _set(self, key: str, avoid: Avoid) -> None:
        if avoid != self.avoid(key):
            self._avoid[key] = avoid
            self.is_changed = True

    def to_document(self) -> dict[str, Any]:
        """Return everything as JSON knows it."""
        return {
            key: {
                "holes": [list(hole) for hole in sorted(avoid.holes)],
                "max_registers": avoid.max_registers,
                "max_bits": avoid.max_bits,
                "bridges": avoid.bridges,
            }
            for key, avoid in sorted(self._avoid.items())
        }

    def load(self, document: Mapping[str, Any]) -> None:
        """Take over what to_document gave. Entries that make no sense are left out: they are learned anew."""
        for key, entry in document.items():
            avoid = _avoid_of(entry)
            if avoid is not None:
                self._avoid[key] = avoid


def _avoid_of(entry: Any) -> Avoid | None:
    try:
        holes = frozenset((str(table), int(start), int(end)) for table, start, end in entry["holes"])
        registers, bits = (int(entry[key]) if entry[key] else None for key in ("max_registers", "max_bits"))
        return Avoid(holes, registers, bits, bool(entry["bridges"]))
    except (KeyError, TypeError, ValueError):
        return None
