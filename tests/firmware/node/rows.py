"""Rows for the ring, and everything it has to say about them."""

from pathlib import Path
from typing import Any

from firmware.node.ring import Ring

START_MS = 1_800_000_000_000
TANK, FLOW = 1, 2
SEGMENT_BYTES = 1024
CAPACITY_BYTES = 6 * 4096


def ring_in(folder: Path, **settings: Any) -> Ring:
    """Return a mounted ring, small enough to be full soon."""
    small = {"segment_bytes": SEGMENT_BYTES, "flush_bytes": 160}
    ring = Ring(str(folder / "ring"), settings.pop("capacity_bytes", CAPACITY_BYTES), **(small | settings))
    ring.mount()
    return ring


def values_of(number: int) -> tuple[int | None, ...]:
    """Return six values that no other number has."""
    return (number, None if number % 3 == 0 else -number * 7, number * number, 5, None, number % 2)


def told(ring: Ring, from_seq: int | None = None) -> dict[int, Any]:
    """Return seq -> (kind, recorded_at, values, quality, time quality), or the cause where it is lost."""
    found: dict[int, Any] = {}
    seq = ring.acked + 1 if from_seq is None else from_seq
    while True:
        rows = ring.read(seq, 50)
        lost = ring.loss(seq) if rows is None or rows[1] > seq else None
        if lost is not None:
            assert seq == lost.first_seq <= lost.last_seq
            found.update(dict.fromkeys(range(seq, lost.last_seq + 1), lost.cause))
            seq = lost.last_seq + 1
        elif rows is not None:
            assert rows[1] == seq
            found.update({seq + index: (rows[0], *row) for index, row in enumerate(rows[2])})
            seq += len(rows[2])
        else:
            return found


def values_in(found: dict[int, Any]) -> list[int]:
    """Return the first value of every row there is."""
    return [row[2][0] for row in found.values() if not isinstance(row, int)]
