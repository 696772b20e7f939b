"""A small water supply in simulated time: a borehole, its pump, two tanks in a row, a village that drinks.

Every litre is accounted for: what came in is in a tank, has been drawn, or has spilled.
The same seed and the same step give the same history.
"""

import math
from dataclasses import dataclass, field

_DAY_S = 86_400.0
_DAWN_S = 6 * 3600.0  # a run begins before the morning peak, so that something happens
_MASK = 2**64 - 1

_DEMAND_MEAN_LPM = 110.0
_PEAKS = ((7.25, 1.1, 1.7), (12.5, 1.5, 0.5), (19.5, 1.6, 1.4))  # hour, width in hours, height
_NIGHT_SHARE = 0.3
_PUMP_NOMINAL_LPM = 260.0
_PUMP_NOMINAL_W = 4_000.0
_PUMP_DEAD_SHARE = 0.25  # below this share of its speed a centrifugal pump lifts nothing
_PUMP_RAMP_S = 6.0
_STANDBY_W = 35.0
_START_SHARE, _STOP_SHARE = 0.55, 0.92
_TRANSFER_LPM_PER_CM = 4.0
_STATIC_LEVEL_M = 41.5
_DRAWDOWN_M = 6.0
_DRAWDOWN_S = 300.0


def noise(seed: int, channel: int, step: int) -> float:
    """Return a repeatable number between -1 and 1; no two steps or channels are alike."""
    # SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    z = (seed * 0x9E3779B97F4A7C15 + channel * 0xD1B54A32D192ED03 + step * 0x8CB92BA72F3D8DD7) & _MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _MASK
    return (z ^ z >> 31) / 2**63 - 1.0


def demand_lpm(time_s: float) -> float:
    """Return what the village draws at a time of day: little at night, most in the morning."""
    hour = time_s % _DAY_S / 3600
    peaks = sum(height * math.exp(-(((hour - centre) / width) ** 2)) for centre, width, height in _PEAKS)
    return _DEMAND_MEAN_LPM * (_NIGHT_SHARE + peaks)


@dataclass(slots=True)
class Tank:
    """Upright walls, so that the level is the volume over the floor."""

    area_m2: float
    height_cm: float
    volume_l: float

    @property
    def capacity_l(self) -> float:
        """Return the volume at the brim."""
        return self.area_m2 * self.height_cm * 10

    @property
    def level_cm(self) -> float:
        """Return the height of the water."""
        return self.volume_l / (self.area_m2 * 10)

    @property
    def share(self) -> float:
        """Return how full it is, 0 to 1."""
        return self.volume_l / self.capacity_l


@dataclass(slots=True)
class Pump:
    """A centrifugal pump on a variable-frequency drive. speed: share of the nominal speed."""

    is_wanted: bool = True
    speed: float = 0.0
    starts: int = 0

    @property
    def power_w(self) -> float:
        """Return the drive's input; the power of a centrifugal pump goes with the cube of its speed."""
        return _STANDBY_W + _PUMP_NOMINAL_W * self.speed**3

    def control(self, share: float) -> None:
        """Start below one filling of the tank, stop above another."""
        if self.is_wanted and share >= _STOP_SHARE:
            self.is_wanted = False
        elif not self.is_wanted and share <= _START_SHARE:
            self.is_wanted = True
            self.starts += 1

    def ramp(self, step_s: float) -> None:
        """Approach the wanted speed."""
        self.speed += (float(self.is_wanted) - self.speed) * (1 - math.exp(-step_s / _PUMP_RAMP_S))
        if self.speed < 1e-3:
            self.speed = 0.0


@dataclass(slots=True)
class Site:
    """The whole supply. time_s: simulated, 0 is midnight. Flows are those of the last step."""

    seed: int = 0
    step_s: float = 1.0
    time_s: float = _DAWN_S
    steps: int = 0
    north: Tank = field(default_factory=lambda: Tank(area_m2=6.0, height_cm=400.0, volume_l=14_000.0))
    south: Tank = field(default_factory=lambda: Tank(area_m2=4.0, height_cm=400.0, volume_l=9_000.0))
    pump: Pump = field(default_factory=Pump)
    drawdown_m: float = 0.0
    inflow_lpm: float = 0.0
    transfer_lpm: float = 0.0
    outflow_lpm: float = 0.0
    inlet_l: float = 0.0
    transfer_l: float = 0.0
    outlet_l: float = 0.0
    spilled_l: float = 0.0
    energy_kwh: float = 0.0

    @property
    def static_level_m(self) -> float:
        """Return the depth of the water in the borehole at rest."""
        return _STATIC_LEVEL_M

    @property
    def dynamic_level_m(self) -> float:
        """Return the depth of the water in the borehole now."""
        return _STATIC_LEVEL_M + self.drawdown_m

    def advance(self, elapsed_s: float) -> None:
        """Step until elapsed_s simulated seconds have passed since the start."""
        for _ in range(int(elapsed_s / self.step_s + 1e-9) - self.steps):
            self.step()

    def step(self) -> None:
        """Let one step pass."""
        self.steps += 1
        self.time_s = _DAWN_S + self.steps * self.step_s
        self.pump.control(self.north.share)
        self.pump.ramp(self.step_s)
        self._lift()
        self._transfer()
        self._draw()
        self.energy_kwh += self.pump.power_w * self.step_s / 3_600_000

    def _lift(self) -> None:
        lifting = max(0.0, self.pump.speed - _PUMP_DEAD_SHARE) / (1 - _PUMP_DEAD_SHARE)
        self.inflow_lpm = _PUMP_NOMINAL_LPM * lifting * (1 - 0.02 * self.drawdown_m)
        share = self.inflow_lpm / _PUMP_NOMINAL_LPM
        self.drawdown_m += (_DRAWDOWN_M * share - self.drawdown_m) * (
            1 - math.exp(-self.step_s / _DRAWDOWN_S)
        )
        litres = self._litres(self.inflow_lpm)
        room = self.north.capacity_l - self.north.volume_l
        self.north.volume_l += min(litres, room)
        self.spilled_l += max(0.0, litres - room)
        self.inlet_l += litres

    def _transfer(self) -> None:
        wanted = self._litres(_TRANSFER_LPM_PER_CM * max(0.0, self.north.level_cm - self.south.level_cm))
        # Never past the moment both levels are equal, however long the step is.
        areas = self.north.area_m2, self.south.area_m2
        even = (self.north.level_cm - self.south.level_cm) * 10 * areas[0] * areas[1] / sum(areas)
        litres = max(0.0, min(wanted, even, self.south.capacity_l - self.south.volume_l))
        self.north.volume_l -= litres
        self.south.volume_l += litres
        self.transfer_l += litres
        self.transfer_lpm = litres * 60 / self.step_s

    def _draw(self) -> None:
        restless = 1 + 0.12 * noise(self.seed, 1, int(self.time_s // 20))
        litres = min(self._litres(demand_lpm(self.time_s) * restless), self.south.volume_l)
        self.south.volume_l -= litres
        self.outlet_l += litres
        self.outflow_lpm = litres * 60 / self.step_s

    def _litres(self, flow_lpm: float) -> float:
        return flow_lpm * self.step_s / 60
