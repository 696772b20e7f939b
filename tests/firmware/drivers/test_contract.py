"""Runs in MicroPython, too: what the configuration can name is there, and says what it measures."""

from shared_schema.metrics import KINDS

DRIVERS = (
    "a02yyuw",
    "battery",
    "bme280",
    "current_loop",
    "ds18b20",
    "hcsr04",
    "keller_ld",
    "modbus_slave",
    "ph",
    "pulse_flow",
    "tds",
)


def driver_class(name):
    """Return the class as the node finds it: CurrentLoop for current_loop."""
    module = __import__("firmware.drivers." + name, None, None, ("*",))
    return getattr(module, "".join([part[0].upper() + part[1:] for part in name.split("_")]))


def test_every_driver_is_named_as_its_file():
    for name in DRIVERS:
        driver = driver_class(name)
        assert callable(driver.start), name
        assert callable(driver.read), name


def test_what_a_driver_measures_belongs_to_one_kind():
    for name in DRIVERS:
        metrics = driver_class(name).METRICS
        kinds = [
            kind
            for kind in KINDS
            if kind.is_telemetry and set(metrics) <= {metric.id for metric in kind.fields}
        ]
        assert kinds, name
