"""What a transmitter sees of the water supply: one number per metric, with the noise of its sensor.

A place is where a transmitter hangs; each kind of transmitter has places to choose from.
"""

import math
import zlib
from collections.abc import Callable, Mapping

from shared_schema.metrics import KINDS
from tools.sim.water import Site, Tank, noise

Look = Callable[[Site], float]

_NOMINAL_RPM = 2_900
_NOMINAL_HZ = 50.0
_MAINS_V = 400.0
_COSINE = 0.86
_HOUSE_W = 350.0  # light, heating and the gateway beside the pump

# Half the width of the noise, in the metric's unit. Counters and states have none.
_NOISE = {
    "water_level_cm": 0.2,
    "volume_l": 8.0,
    "temperature_c": 0.03,
    "tds_ppm": 2.0,
    "ph": 0.015,
    "flow_rate_lpm": 0.6,
    "pressure_bar": 0.012,
    "dynamic_water_level_m": 0.02,
    "pump_power_w": 12.0,
    "pump_current_a": 0.03,
    "humidity_percent": 0.3,
    "pressure_hpa": 0.1,
    "conductivity_us_cm": 1.5,
    "dissolved_oxygen_mg_l": 0.03,
    "turbidity_ntu": 0.02,
    "chlorine_mg_l": 0.004,
    "redox_mv": 1.5,
    "voltage_v": 0.6,
    "current_a": 0.01,
    "power_w": 8.0,
    "power_factor": 0.003,
    "frequency_hz": 0.01,
}

COUNTERS = frozenset(
    metric.name for kind in KINDS for metric in kind.fields if getattr(metric, "aggregate", "") == "total"
)


def _swing(site: Site, mean: float, reach: float, peak_hour: float = 15.0) -> float:
    return mean + reach * math.cos((site.time_s / 3600 - peak_hour) * math.tau / 24)


def _amperes(power_w: float) -> float:
    return power_w / (math.sqrt(3) * _MAINS_V * _COSINE)


def _water_c(site: Site) -> float:
    return _swing(site, 12.4, 0.8, peak_hour=18)


def _tank(tank: Callable[[Site], Tank]) -> dict[str, Look]:
    return {
        "water_level_cm": lambda site: tank(site).level_cm,
        "volume_l": lambda site: tank(site).volume_l,
        "temperature_c": _water_c,
        "tds_ppm": lambda site: _swing(site, 310, 6),
        "ph": lambda site: _swing(site, 7.42, 0.04),
        "battery_v": lambda site: _swing(site, 12.9, 0.4, peak_hour=13),
    }


def _pipe(flow_lpm: Look, total_l: Look, pressure_bar: Look) -> dict[str, Look]:
    return {
        "flow_rate_lpm": flow_lpm,
        "cumulative_volume_l": total_l,
        "pressure_bar": pressure_bar,
        "temperature_c": _water_c,
        "battery_v": lambda site: _swing(site, 3.6, 0.01),
        "status_code": lambda _: 0,
    }


def _meter(power_w: Look, energy_kwh: Look) -> dict[str, Look]:
    return {
        "voltage_v": lambda site: _MAINS_V / math.sqrt(3) - 0.4 * _amperes(power_w(site)),
        "current_a": lambda site: _amperes(power_w(site)),
        "power_w": power_w,
        "power_factor": lambda _: _COSINE,
        "frequency_hz": lambda _: _NOMINAL_HZ,
        "energy_kwh": energy_kwh,
    }


def _outlet_bar(site: Site) -> float:
    # Ten metres of water are about one bar; the tank stands 25 m above the village.
    return max(0.0, 2.45 + site.south.level_cm / 1020 - (site.outflow_lpm / 600) ** 2)


def _inlet_bar(site: Site) -> float:
    return 0.4 + site.north.level_cm / 1020 + 3.1 * site.pump.speed**2


PLACES: Mapping[str, Mapping[str, Look]] = {
    "tank-north": _tank(lambda site: site.north),
    "tank-south": _tank(lambda site: site.south),
    "inlet": _pipe(lambda site: site.inflow_lpm, lambda site: site.inlet_l, _inlet_bar),
    "transfer": _pipe(
        lambda site: site.transfer_lpm, lambda site: site.transfer_l, lambda site: site.north.level_cm / 1020
    ),
    "outlet": _pipe(lambda site: site.outflow_lpm, lambda site: site.outlet_l, _outlet_bar),
    "borehole": {
        "static_water_level_m": lambda site: site.static_level_m,
        "dynamic_water_level_m": lambda site: site.dynamic_level_m,
        "pump_status": lambda site: int(site.pump.speed > 0.02),
        "pump_speed_rpm": lambda site: _NOMINAL_RPM * site.pump.speed,
        "pump_power_w": lambda site: site.pump.power_w,
        "pump_current_a": lambda site: _amperes(site.pump.power_w),
        "pump_frequency_hz": lambda site: _NOMINAL_HZ * site.pump.speed,
        "status_code": lambda _: 0,
    },
    "pump-meter": _meter(lambda site: site.pump.power_w, lambda site: site.energy_kwh),
    "site-meter": _meter(
        lambda site: site.pump.power_w + _HOUSE_W,
        lambda site: site.energy_kwh + _HOUSE_W * site.steps * site.step_s / 3_600_000,
    ),
    "quality": {
        "temperature_c": _water_c,
        "ph": lambda site: _swing(site, 7.42, 0.04),
        "conductivity_us_cm": lambda site: _swing(site, 486, 9),
        "dissolved_oxygen_mg_l": lambda site: _swing(site, 8.6, 0.3),
        "turbidity_ntu": lambda site: 0.25 + site.outflow_lpm / 900,
        "chlorine_mg_l": lambda site: _swing(site, 0.34, 0.05, peak_hour=4),
        "redox_mv": lambda site: _swing(site, 645, 12),
        "pressure_hpa": lambda site: _swing(site, 1013.2, 1.4, peak_hour=10),
        "humidity_percent": lambda site: _swing(site, 71, 14, peak_hour=5),
    },
    "weather": {
        "temperature_c": lambda site: _swing(site, 17, 7),
        "humidity_percent": lambda site: _swing(site, 62, 18, peak_hour=5),
        "pressure_hpa": lambda site: _swing(site, 1013.2, 1.4, peak_hour=10),
    },
    "gate": {
        "entries": lambda site: site.outlet_l // 90,
        "exits": lambda site: site.outlet_l // 97,
        "occupancy": lambda site: site.outlet_l // 90 - site.outlet_l // 97,
    },
}

PLACE_OF_KIND = {
    "tank": "tank-north",
    "flow": "inlet",
    "deep": "borehole",
    "power": "pump-meter",
    "environment": "quality",
    "footfall": "gate",
}


class Gauge:
    """One transmitter's sensors at one place of the site."""

    def __init__(self, place: str, name: str, seed: int = 0) -> None:
        self._looks = PLACES[place]
        self._seed = zlib.crc32(name.encode()) ^ seed

    def value(self, site: Site, metric: str) -> float:
        """Return what the sensor says, in the metric's unit; 0 for what the place does not have."""
        look = self._looks.get(metric)
        if look is None:
            return 0.0
        width = _NOISE.get(metric, 0.0)
        return look(site) + width * noise(self._seed, zlib.crc32(metric.encode()), site.steps)
