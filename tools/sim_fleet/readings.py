"""What the devices of a simulated fleet measure: a function of device and time, so nothing has to be kept.

Levels fall in the day and rise at night, counters never fall, pumps and meters follow what is drawn. The same
device and moment give the same reading, so a row that is sent twice is the same row twice.
"""

import math
from collections.abc import Callable, Mapping

from hub.ports import Value
from shared_schema.metrics import DEEP, ENVIRONMENT, FLOW, HEARTBEAT, POWER, TANK, Kind, Metric
from tools.sim.water import noise

KINDS = (TANK, FLOW, DEEP, ENVIRONMENT, POWER)

_DAY_S = 86_400.0
_COUNTED_SINCE_S = 1_577_836_800.0  # counters stood at zero when 2020 began
_SWING = 0.6  # of what is drawn, around its mean; below one, so that counters rise all day
_MIN_S = 60.0


def reading_of(kind: Kind, seed: int, at_ms: int) -> tuple[Value, ...]:
    """Return the values of a device at one moment, in the order of the kind's fields. seed: of the device."""
    raw = _READERS[kind.name](seed, at_ms / 1000)
    return tuple(map(_as_on_the_wire, kind.fields, raw))


def _as_on_the_wire(field: object, value: Value) -> Value:
    if not isinstance(field, Metric) or value is None or isinstance(value, str):
        return value
    return round(value, field.decimals) if field.decimals else round(value)


def _day(at_s: float, peak_hour: float) -> float:
    """Return -1 to 1 over the day, most at the peak hour UTC."""
    return math.cos((at_s / 3600 - peak_hour) * math.pi / 12)


def _restless(seed: int, channel: int, at_s: float) -> float:
    return noise(seed, channel, int(at_s * 10))


def _trait(seed: int, channel: int, low: float, high: float) -> float:
    """Return what is always so with this device."""
    return low + (high - low) * (noise(seed, channel, 0) + 1) / 2


def _drawn(mean_per_min: float, at_s: float) -> tuple[float, float]:
    """Return what is drawn a minute now, and in all: the rate and its integral."""
    rate = mean_per_min * (1 + _SWING * _day(at_s, 18.0))
    since_s = at_s - _COUNTED_SINCE_S
    wave_s = _SWING * _DAY_S / (2 * math.pi) * (1 + math.sin((at_s / 3600 - 18.0) * math.pi / 12))
    return rate, max(0.0, mean_per_min * (since_s + wave_s) / _MIN_S)


def _tank(seed: int, at_s: float) -> tuple[Value, ...]:
    height_cm = _trait(seed, 1, 180, 420)
    share = 0.62 + 0.25 * _day(at_s, 5.0) + 0.01 * _restless(seed, 2, at_s)
    level_cm = height_cm * share
    return (
        level_cm,
        level_cm * _trait(seed, 3, 30, 90),
        17 + 4 * _day(at_s, 15.0) + 0.2 * _restless(seed, 4, at_s),
        _trait(seed, 5, 180, 520) + 6 * _restless(seed, 6, at_s),
        7.3 + 0.1 * _restless(seed, 7, at_s),
        3.3 + 0.25 * _day(at_s, 13.0),
    )


def _flow(seed: int, at_s: float) -> tuple[Value, ...]:
    rate, total = _drawn(_trait(seed, 1, 15, 120), at_s)
    return (
        rate * (1 + 0.05 * _restless(seed, 2, at_s)),
        total,
        3.4 - 0.5 * _day(at_s, 18.0) + 0.05 * _restless(seed, 3, at_s),
        16 + 3 * _day(at_s, 15.0),
        3.3 + 0.25 * _day(at_s, 13.0),
        0,
    )


def _deep(seed: int, at_s: float) -> tuple[Value, ...]:
    static_m = _trait(seed, 1, 25, 80)
    # A pump runs more of each hour when more is drawn.
    is_running = at_s % 3600 < 3600 * (0.35 + 0.25 * _day(at_s, 18.0))
    speed = (0.85 + 0.05 * _restless(seed, 2, at_s)) if is_running else 0.0
    power_w = _trait(seed, 3, 1500, 5500) * speed**3 + 35
    return (
        static_m,
        static_m + 6 * speed,
        int(is_running),
        2900 * speed,
        power_w,
        power_w / 400,
        50 * speed,
        0,
    )


def _environment(seed: int, at_s: float) -> tuple[Value, ...]:
    warmth = _day(at_s, 15.0)
    return (
        22 + 7 * warmth + 0.3 * _restless(seed, 1, at_s),
        55 - 20 * warmth + _restless(seed, 2, at_s),
        1013 + 8 * math.sin(at_s / 400_000) + 0.4 * _restless(seed, 3, at_s),
        7.2 + 0.1 * _restless(seed, 4, at_s),
        _trait(seed, 5, 300, 900) + 5 * _restless(seed, 6, at_s),
        8.4 - 0.8 * warmth,
        1.5 + 0.5 * _restless(seed, 7, at_s),
        0.45 + 0.05 * _restless(seed, 8, at_s),
        640 + 12 * _restless(seed, 9, at_s),
    )


def _power(seed: int, at_s: float) -> tuple[Value, ...]:
    watt_minutes = _drawn(_trait(seed, 1, 300, 6000), at_s)
    power_w = watt_minutes[0] * (1 + 0.03 * _restless(seed, 2, at_s))
    voltage_v = 230 + 3 * _restless(seed, 3, at_s)
    factor = 0.93 + 0.02 * _restless(seed, 4, at_s)
    frequency_hz = 50 + 0.03 * _restless(seed, 5, at_s)
    return voltage_v, power_w / voltage_v / factor, power_w, factor, frequency_hz, watt_minutes[1] / 60_000


def _heartbeat(seed: int, at_s: float) -> tuple[Value, ...]:
    return (
        round(12 + 6 * _restless(seed, 1, at_s), 1),
        round(38 + 3 * _restless(seed, 2, at_s), 1),
        round(_trait(seed, 3, 15, 60), 1),
        round(48 + 5 * _day(at_s, 15.0), 1),
        round(at_s - _COUNTED_SINCE_S),
        0,
        "online",
        *NOT_A_NODE,
    )


NOT_A_NODE = (None,) * 5  # a hub has no Wi-Fi signal, battery or reset cause to tell of

_READERS: Mapping[str, Callable[[int, float], tuple[Value, ...]]] = {
    TANK.name: _tank,
    FLOW.name: _flow,
    DEEP.name: _deep,
    ENVIRONMENT.name: _environment,
    POWER.name: _power,
    HEARTBEAT.name: _heartbeat,
}
