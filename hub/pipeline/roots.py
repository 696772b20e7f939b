"""Where a polynomial crosses zero. Coefficients stand in rising order of their powers."""

from collections.abc import Sequence
from itertools import pairwise

HALVINGS = 200  # bisection ends by itself after some 60 in double precision


def evaluated(coefficients: Sequence[float], raw: float) -> float:
    """Return the value at raw, by Horner's scheme."""
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * raw + coefficient
    return value


def derivative(coefficients: Sequence[float]) -> tuple[float, ...]:
    """Return the coefficients of the slope."""
    return tuple(power * coefficient for power, coefficient in enumerate(coefficients) if power)


def roots(coefficients: Sequence[float], low: float, high: float) -> list[float]:
    """Return where a polynomial changes sign between low and high.

    Between two places where its derivative changes sign it is monotone, so bisection finds the only root.
    """
    if len(coefficients) < 2:
        return []
    places = [low, *roots(derivative(coefficients), low, high), high]
    return [
        crossing(coefficients, a, b)
        for a, b in pairwise(places)
        if evaluated(coefficients, a) * evaluated(coefficients, b) < 0
    ]


def crossing(coefficients: Sequence[float], low: float, high: float) -> float:
    """Return the only root between low and high, where the signs differ."""
    is_rising = evaluated(coefficients, low) < evaluated(coefficients, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if (evaluated(coefficients, middle) < 0) == is_rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2
