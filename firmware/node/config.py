"""What a node is told to measure: reads the JSON the hub sends, and says no to what cannot be done.

    {"kinds": {"tank": {"interval_s": 5, "window_s": 60, "sensors": [{"driver": "a02yyuw", "uart": 1}]}},
     "flush_s": 30, "health_s": 60, "outputs": {"valve": 5}, "ring": "thin",
     "power": "battery", "battery": {"dial_s": 3600, "low_mv": 3500}, "broadcast": false}

ring: what happens to the oldest rows when it is full; see ring.py. battery: Rules of battery.py, for a node
with that power, which wakes in the rhythm of its shortest interval and samples everything.
A sensor's other entries are its driver's. Pure; what a driver makes of them shows when it is started.
"""

import json

from shared_schema.metrics import KINDS

INTERVAL_MOST_S = 86_400
FLUSH_MOST_S = 3600
SENSORS_MOST = 8
OUTPUTS_MOST = 8
RING_POLICIES = ("drop_oldest", "thin")
POWERS = ("mains", "battery")
_BATTERY_RULES = (
    ("dial_s", 1, 604_800),
    ("rows_to_dial", 1, 100_000),
    ("listen_ms", 500, 60_000),  # shorter, and there is no time for the node's health
    ("connect_ms", 5_000, 60_000),  # a search for hubs is part of it
    ("awake_ms", 5_000, 300_000),
    ("update_ms", 60_000, 3_600_000),
    ("low_mv", 0, 60_000),
    ("empty_mv", 0, 60_000),
)
EMPTY = '{"kinds": {}}'
CANNOT_SLEEP = "power: battery is for boards that can sleep, which this one cannot"


class Refused(ValueError):
    """The configuration cannot be used; the text says what and why."""


class Sensor:
    """One driver and what it is told. options: everything but its name."""

    def __init__(self, driver: str, options: dict) -> None:
        self.driver = driver
        self.options = options


class Rhythm:
    """How a kind is sampled; see plan.Group."""

    def __init__(self, kind, interval_s: int, window_s: int, sensors) -> None:
        self.kind = kind
        self.interval_s = interval_s
        self.window_s = window_s
        self.sensors = sensors


class Settings:
    """A configuration that can be tried. outputs: pin numbers by name.

    battery: what battery.Rules are told, None on mains. is_broadcasting: by BTHome instead of dialling.
    """

    def __init__(self, rhythms, flush_s: int, health_s: int, outputs: dict) -> None:
        self.battery = None
        self.is_broadcasting = False
        self.ring_policy = RING_POLICIES[0]
        self.rhythms = rhythms
        self.flush_s = flush_s
        self.health_s = health_s
        self.outputs = outputs


def parse(document: str) -> Settings:
    """Return what a document means. Raises Refused."""
    try:
        root = json.loads(document)
    except ValueError:
        raise Refused("is not JSON") from None
    _only(root, "", ("kinds", "flush_s", "health_s", "outputs", "ring", "power", "battery", "broadcast"))
    kinds = root.get("kinds", {})
    _only(kinds, "kinds", [kind.name for kind in KINDS if kind.is_telemetry])
    rhythms = [_rhythm(kind, kinds[kind.name]) for kind in KINDS if kind.name in kinds]
    if sum([len(rhythm.sensors) for rhythm in rhythms]) > SENSORS_MOST:
        raise Refused("kinds: more than %d sensors" % SENSORS_MOST)
    settings = Settings(
        rhythms,
        _number(root, "", "flush_s", 30, 1, FLUSH_MOST_S),
        _number(root, "", "health_s", 60, 1, FLUSH_MOST_S),
        _outputs(root.get("outputs", {})),
    )
    settings.ring_policy = _one_of(root, "ring", RING_POLICIES)
    if _one_of(root, "power", POWERS) == "battery":
        settings.battery = _battery_rules(root.get("battery", {}), rhythms)
        settings.is_broadcasting = _is_broadcasting(root.get("broadcast", False), rhythms)
    elif "battery" in root or root.get("broadcast"):
        raise Refused('battery and broadcast are for "power": "battery"')
    return settings


def _battery_rules(entry, rhythms) -> dict:
    _only(entry, "battery", [name for name, _, _ in _BATTERY_RULES])
    for rhythm in rhythms:
        if rhythm.window_s:
            raise Refused(
                "kinds.%s.window_s: a node on a battery has a row for each sample" % rhythm.kind.name
            )
    rules = {
        name: _number(entry, "battery", name, low, low, high)
        for name, low, high in _BATTERY_RULES
        if name in entry
    }
    if rhythms:
        rules["sample_s"] = min([rhythm.interval_s for rhythm in rhythms])
    return rules


def _is_broadcasting(value, rhythms) -> bool:
    if not isinstance(value, bool):
        raise Refused("broadcast: %r is not true or false" % (value,))
    if value and len(rhythms) != 1:
        raise Refused("broadcast: %d kinds; an advertisement has room for one" % len(rhythms))
    return value


def _one_of(root: dict, key: str, words) -> str:
    value = root.get(key, words[0])
    if value not in words:
        raise Refused("%s: %r is none of %s" % (key, value, ", ".join(words)))
    return value


def _rhythm(kind, entry) -> Rhythm:
    where = "kinds." + kind.name
    _only(entry, where, ("interval_s", "window_s", "sensors"))
    sensors = entry.get("sensors")
    if not isinstance(sensors, list) or not sensors:
        raise Refused("%s.sensors: is not a list of sensors" % where)
    return Rhythm(
        kind,
        _number(entry, where, "interval_s", 60, 1, INTERVAL_MOST_S),
        _number(entry, where, "window_s", 0, 0, INTERVAL_MOST_S),
        [_sensor(where, sensor) for sensor in sensors],
    )


def _sensor(where: str, entry) -> Sensor:
    if not isinstance(entry, dict):
        raise Refused("%s.sensors: an entry is not an object" % where)
    driver = entry.get("driver")
    # It becomes the name of a module.
    if not isinstance(driver, str) or not driver or driver.strip("abcdefghijklmnopqrstuvwxyz0123456789_"):
        raise Refused("%s.sensors: driver %r is not a driver's name" % (where, driver))
    return Sensor(driver, {key: entry[key] for key in entry if key != "driver"})


def _outputs(entry) -> dict:
    if not isinstance(entry, dict) or len(entry) > OUTPUTS_MOST:
        raise Refused("outputs: is not an object of at most %d names" % OUTPUTS_MOST)
    for name in entry:
        _number(entry, "outputs", name, 0, 0, 64)
    return entry


def _only(entry, where: str, names) -> None:
    if not isinstance(entry, dict):
        raise Refused("%s: is not an object" % (where or "the configuration"))
    for key in entry:
        if key not in names:
            raise Refused("%s: is not known; there are %s" % (_path(where, key), ", ".join(names)))


def _number(entry: dict, where: str, key: str, default: int, low: int, high: int) -> int:
    value = entry.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused("%s: %r is not a whole number from %d to %d" % (_path(where, key), value, low, high))
    return value


def _path(where: str, key: str) -> str:
    return where + "." + key if where else key
