"""The straight line through two calibration points, in integers."""

from firmware.drivers.options import whole

LIMIT = 1 << 40


def divided(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest integer, a half upwards. denominator: not 0."""
    return (2 * numerator + denominator) // (2 * denominator)


class Line:
    """y over x through (x0, y0) and (x1, y1).

    Raises ValueError when both points have one x, or a number is no whole one.
    """

    def __init__(self, x0: int, y0: int, x1: int, y1: int) -> None:
        for number in (x0, y0, x1, y1):
            whole("calibration", number, -LIMIT, LIMIT)
        if x0 == x1:
            raise ValueError("two calibration points at %d: they have to differ" % x0)
        self._x0 = x0
        self._y0 = y0
        self._run = x1 - x0
        self._rise = y1 - y0

    def at(self, x: int) -> int:
        """Return y at x, rounded."""
        return self._y0 + divided((x - self._x0) * self._rise, self._run)
