"""The median: one wrong echo does not move it."""


def median(values: list) -> int:
    """Return the middle of values, the lower of two; sorts them in place. values: not empty."""
    values.sort()
    return values[(len(values) - 1) // 2]
