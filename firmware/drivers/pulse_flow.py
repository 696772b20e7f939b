"""Flow and volume from a meter that gives pulses.

The counter is the board's (pulse_counters.py, or machine.Counter of an ESP32): value() counts edges, and may
wrap at 32 bits.
"""

from firmware.drivers.options import whole

FLOW_RATE_LPM = 10
CUMULATIVE_VOLUME_L = 11
COUNTER_MASK = 0xFFFF_FFFF


class PulseFlow:
    """Mean flow since the last read and the volume since ever: flow_rate_lpm, cumulative_volume_l.

    pulses_per_1000_l: the meter's constant; 450 pulses a litre are 450000, a pulse every 10 litres is 100.
    now_ms: milliseconds that never wrap (node/clock.Ticks.now_ms).
    total_pulses: what was counted before. The caller keeps the attribute of that name, in memory that
    survives a deep sleep and at times in flash, and hands it in again: pulses are whole, so nothing is lost
    by rounding. The first read has no flow yet. Reads at once.
    """

    METRICS = (FLOW_RATE_LPM, CUMULATIVE_VOLUME_L)

    def __init__(self, counter, pulses_per_1000_l: int, now_ms, total_pulses: int = 0) -> None:
        self.total_pulses = total_pulses
        self._counter = counter
        self._pulses_per_1000_l = whole("pulses_per_1000_l", pulses_per_1000_l, 1)
        self._now_ms = now_ms
        self._counted = 0
        self._read_at_ms = None

    def start(self) -> None:
        """Count from here on."""
        self._counted = self._counter.value() & COUNTER_MASK
        self._read_at_ms = None

    async def read(self) -> tuple:
        """Return flow_rate_lpm and cumulative_volume_l."""
        now_ms = self._now_ms()
        counted = self._counter.value() & COUNTER_MASK
        pulses = (counted - self._counted) & COUNTER_MASK
        self._counted = counted
        self.total_pulses += pulses
        since_ms = 0 if self._read_at_ms is None else now_ms - self._read_at_ms
        self._read_at_ms = now_ms
        return (self._milli_lpm(pulses, since_ms), self.total_pulses * 10_000 // self._pulses_per_1000_l)

    def _milli_lpm(self, pulses: int, since_ms: int):
        if since_ms <= 0:
            return None
        # pulses * 1000 / constant litres, in since_ms / 60000 minutes, times 1000 for three decimals
        return pulses * 60_000_000_000 // (self._pulses_per_1000_l * since_ms)
