"""Runs in MicroPython, too: what a person wrote wrongly is refused by name, before anything is read."""

from firmware.drivers.a02yyuw import A02yyuw
from firmware.drivers.battery import Battery
from firmware.drivers.current_loop import CurrentLoop
from firmware.drivers.hcsr04 import Hcsr04
from firmware.drivers.keller_ld import KellerLd
from firmware.drivers.modbus_slave import ModbusSlave
from firmware.drivers.pulse_flow import PulseFlow
from firmware.drivers.tds import Tds
from tests.firmware.fakes.errors import error_of

POINT = [50, 3, 0, "u16", "AB", 1, 1]


def test_numbers_are_whole_and_in_their_range():
    for name, call in (
        ("floor_mm", lambda: A02yyuw(None, 0)),
        ("floor_mm", lambda: Hcsr04(None, None, None, "2500")),
        ("blind_mm", lambda: Hcsr04(None, None, None, 2_500, -1)),
        ("request", lambda: A02yyuw(None, 2_500, request=256)),
        ("lower_ohm", lambda: Battery(None, 100, 0)),
        ("upper_ohm", lambda: Battery(None, 1.5, 100)),
        ("shunt_milliohm", lambda: CurrentLoop(None, 0, 0, 5_000)),
        ("calibration", lambda: CurrentLoop(None, 100_000, 0, 500.5)),
        ("calibration", lambda: KellerLd(None, 0, None)),
        ("calibration", lambda: Tds(None, ((0, 0), (690, 707.5)))),
        ("pulses_per_1000_l", lambda: PulseFlow(None, 0.5, None)),
        ("unit", lambda: ModbusSlave(None, 9_600, 0, [POINT])),
        ("baud", lambda: ModbusSlave(None, 0, 1, [POINT])),
    ):
        assert name in error_of(call), name
