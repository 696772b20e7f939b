"""The readings of the benchmark node-link: a tank's level, volume, temperature and battery."""

import random

Row = tuple[int, tuple[int | None, ...], int, int]


def rows_from(number: int, start_ms: int, count: int) -> list[Row]:
    """Return rows a second apart, as batches.encode takes them: scaled integers that wander a little."""
    rng = random.Random(number)
    level, volume, temperature = (
        rng.randrange(500, 4000),
        rng.randrange(1000, 90_000),
        rng.randrange(500, 3000),
    )
    rows: list[Row] = []
    for second in range(count):
        level += rng.randrange(-2, 3)
        volume += rng.randrange(-3, 4)
        temperature += rng.randrange(-1, 2)
        at_ms = start_ms + 1000 * second + rng.randrange(20)
        rows.append((at_ms, (level, volume, temperature, None, None, 360), 0, 0))
    return rows
