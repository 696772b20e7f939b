"""What simulated nodes measure: real drivers, by the sensors that the simulated board has."""

from typing import Any

FLUSH_S = 1
HEALTH_S = 5
LEVEL = {"driver": "a02yyuw", "uart": [1, 9600], "floor_mm": 3000}
WATER_TEMPERATURE = {"driver": "ds18b20", "onewire": 4}
DISSOLVED = {"driver": "tds", "adc": 26}
FLOW = {"driver": "pulse_flow", "pulse": 6, "pulses_per_1000_l": 450_000}
PRESSURE = {
    "driver": "current_loop",
    "adc": 27,
    "shunt_milliohm": 150_000,
    "low": 0,
    "high": 10_000,
    "metric": 12,
}
WELL = {
    "driver": "current_loop",
    "adc": 28,
    "shunt_milliohm": 150_000,
    "low": 0,
    "high": 10_000,
    "metric": 21,
}

# kind of readings → its sensors
SENSORS: dict[str, list[dict[str, Any]]] = {
    "tank": [LEVEL, WATER_TEMPERATURE, DISSOLVED],
    "flow": [FLOW, PRESSURE],
    "deep": [WELL],
}


def plan_of(kind: str, interval_s: int = 1) -> dict[str, Any]:
    """Return the configuration of a node that measures this kind, as firmware/node/config.py reads it."""
    group = {"interval_s": interval_s, "sensors": SENSORS[kind]}
    return {"kinds": {kind: group}, "flush_s": FLUSH_S, "health_s": HEALTH_S}


def kind_of(number: int) -> str:
    """Return what the node with this number measures: each kind in turn."""
    return list(SENSORS)[number % len(SENSORS)]
