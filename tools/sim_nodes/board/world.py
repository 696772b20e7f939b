# mypy: ignore-errors
"""What the sensors of a simulated board are in: values by pin, swinging slowly until somebody sets them."""

import time

_SWING_MS = 40_000


class World:
    """Values by name, such as adc34, uart1, onewire4, pulse6, battery. set(): fixes one."""

    def __init__(self):
        self._fixed = {}

    def set(self, name, value):
        """Fix a value."""
        self._fixed[name] = value

    def value(self, name, low, high):
        """Return what was set, otherwise what swings between low and high, each name at its own time."""
        if name in self._fixed:
            return self._fixed[name]
        phase = (time.ticks_ms() + sum(name.encode()) * 997) % _SWING_MS
        height = phase if phase < _SWING_MS // 2 else _SWING_MS - phase
        return low + (high - low) * height // (_SWING_MS // 2)


WORLD = World()
