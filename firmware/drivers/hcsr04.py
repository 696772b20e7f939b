"""Water level by ultrasound, timed here: HC-SR04 and the waterproof JSN-SR04T in its mode 1.

Source: ELECFREAKS HC-SR04 User Guide, "Timing diagram": trigger of 10 us, echo as long as the sound
travelled, 60 ms between two measurements. JSN-SR04T V3.0 manual, mode 1: the same, blind below 20 cm, echo of
60 ms when nothing came back. Speed of sound in air, 331.3 m/s + 0.606 m/s a degree: its Taylor series at 0
degrees.
"""

from firmware.drivers import waiting
from firmware.drivers.line import divided
from firmware.drivers.median import median
from firmware.drivers.options import whole

WATER_LEVEL_CM = 1
TRIGGER_US = 20  # 10 are asked for; long cables round the edges
ECHO_LIMIT_US = 36_000  # 6 m and back
PAUSE_MS = 60
PINGS = 5
PINGS_NEEDED = 3
BELOW_FLOOR_MM = 50  # an echo from farther below the floor came from something else
AT_CENTI_C = 2_000


class Hcsr04:
    """Level above the floor of a tank, in mm (water_level_cm has one decimal).

    trigger, echo: machine.Pin; time_pulse_us: machine.time_pulse_us. floor_mm: from the sensor to the floor.
    blind_mm: what is nearer is not measured (20 for HC-SR04, 200 for JSN-SR04T).
    temperature: returns the air's temperature in 0.01 degrees or None; without it 20 degrees are assumed, and
    each degree of error is 0.18 % of the distance.
    read() takes at most 0.7 s and never blocks for more than 72 ms.
    """

    METRICS = (WATER_LEVEL_CM,)

    def __init__(
        self,
        trigger,
        echo,
        time_pulse_us,
        floor_mm: int,
        blind_mm: int = 20,
        temperature=None,
        sleep_ms=waiting.sleep_ms,
    ) -> None:
        self._trigger = trigger
        self._echo = echo
        self._time_pulse_us = time_pulse_us
        self._floor_mm = whole("floor_mm", floor_mm, 1)
        self._nearest_mm = max(1, whole("blind_mm", blind_mm, 0))  # no echo comes out as 0
        self._temperature = temperature
        self._sleep_ms = sleep_ms

    def start(self) -> None:
        """Let the trigger rest low."""
        self._trigger.init(self._trigger.OUT, value=0)
        self._echo.init(self._echo.IN)

    async def read(self) -> tuple:
        """Return the level by the median of five echoes; None when fewer than three came back."""
        mm_per_s = self._mm_per_s()
        distances_mm = []
        for _ in range(PINGS):
            distance_mm = divided(self._echo_us() * mm_per_s, 2_000_000)
            if self._nearest_mm <= distance_mm <= self._floor_mm + BELOW_FLOOR_MM:
                distances_mm.append(distance_mm)
            await self._sleep_ms(PAUSE_MS)
        if len(distances_mm) < PINGS_NEEDED:
            return (None,)
        return (max(0, self._floor_mm - median(distances_mm)),)

    def _echo_us(self) -> int:
        """Return the length of the echo; negative when there was none."""
        self._trigger.value(1)
        waiting.sleep_us(TRIGGER_US)
        self._trigger.value(0)
        return self._time_pulse_us(self._echo, 1, ECHO_LIMIT_US)

    def _mm_per_s(self) -> int:
        centi_c = self._temperature() if self._temperature else AT_CENTI_C
        return 331_300 + 606 * (AT_CENTI_C if centi_c is None else centi_c) // 100
