"""What a configuration comes to once it is read; config.py reads it."""

RING_POLICIES = ("drop_oldest", "thin")
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
