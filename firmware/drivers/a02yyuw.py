"""Water level by ultrasound that comes as serial frames: A02YYUW, ME007YS, JSN-SR04T in its modes 2 and 3.

Source: DFRobot wiki, "A02YYUW Waterproof Ultrasonic Sensor" (SEN0311), section "UART Output": 9600 8N1, every
100 ms FF, high, low byte of the distance in mm, low byte of the sum of the three. JSN-SR04T V3.0 manual, mode
2 the same by itself, mode 3 after each 55.
"""

from firmware.drivers import waiting
from firmware.drivers.median import median
from firmware.drivers.options import whole

WATER_LEVEL_CM = 1
START = 0xFF
FRAME_BYTES = 4
FRAMES = 3
POLL_MS = 20
POLLS = 60
REQUEST_EVERY = 6  # polls: the module measures for up to 100 ms
DRAIN_READS = 32
BELOW_FLOOR_MM = 50  # an echo from farther below the floor came from something else


class DistanceFrames:
    """Finds frames in a stream of bytes: whatever comes before, between or cut short is passed over."""

    def __init__(self) -> None:
        self._window = bytearray(FRAME_BYTES)

    def feed(self, byte: int) -> int:
        """Take one byte; return the distance in mm of the frame it completes, else -1."""
        window = self._window
        window[0] = window[1]
        window[1] = window[2]
        window[2] = window[3]
        window[3] = byte
        # The high byte is never FF: it would be 65 m, and is how a start within a frame is told from its own.
        if window[0] != START or window[1] == START or (START + window[1] + window[2]) & 0xFF != byte:
            return -1
        distance_mm = window[1] << 8 | window[2]
        window[1] = window[2] = window[3] = 0  # used up: no byte belongs to two frames
        return distance_mm


class A02yyuw:
    """Level above the floor of a tank, in mm (water_level_cm has one decimal).

    uart: a machine.UART at 9600 8N1, read without blocking. floor_mm: from the sensor to the floor. blind_mm:
    what is nearer is not measured (30 for A02YYUW, 200 for JSN-SR04T). request: what makes a module answer
    that does not send by itself (85 for JSN-SR04T in mode 3).
    read() takes at most 1.2 s.
    """

    METRICS = (WATER_LEVEL_CM,)

    def __init__(
        self, uart, floor_mm: int, blind_mm: int = 30, request=None, sleep_ms=waiting.sleep_ms
    ) -> None:
        self._uart = uart
        self._floor_mm = whole("floor_mm", floor_mm, 1)
        self._nearest_mm = max(1, whole("blind_mm", blind_mm, 0))  # no frame is -1, no echo 0
        self._request = b"" if request is None else bytes((whole("request", request, 0, 255),))
        self._sleep_ms = sleep_ms
        self._frames = None
        self._received = bytearray(16)

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return the level by the median of three frames; None when none came in time."""
        self._drain()
        self._frames = DistanceFrames()
        distances_mm = []
        for poll in range(POLLS):
            if self._request and poll % REQUEST_EVERY == 0:
                self._uart.write(self._request)
            await self._sleep_ms(POLL_MS)
            self._collect(distances_mm)
            if len(distances_mm) >= FRAMES:
                break
        if not distances_mm:
            return (None,)
        return (max(0, self._floor_mm - median(distances_mm)),)

    def _drain(self) -> None:
        """Throw away what was measured before it was asked for."""
        for _ in range(DRAIN_READS):
            if not self._uart.any():
                return
            self._uart.readinto(self._received)

    def _collect(self, distances_mm: list) -> None:
        waiting_bytes = min(self._uart.any(), len(self._received))
        if not waiting_bytes:
            return
        for index in range(self._uart.readinto(self._received, waiting_bytes) or 0):
            distance_mm = self._frames.feed(self._received[index])
            if self._nearest_mm <= distance_mm <= self._floor_mm + BELOW_FLOOR_MM:
                distances_mm.append(distance_mm)
