"""What a node on a battery draws in a day, from data-sheet currents and how often it wakes.

python -m tools.node_power     print the table of docs/DRIVERS.md
"""

import sys
from typing import NamedTuple

DAY_S = 86_400


class Current(NamedTuple):
    """A current and where it is from."""

    microamps: int
    source: str


class Phase(NamedTuple):
    """Something a node does again and again. microamps: while it lasts."""

    microamps: int
    duration_ms: int
    every_s: int


# ESP32 Series Datasheet, "Current Consumption in Low-Power Modes" and "... Depending on RF Modes".
SLEEP = Current(10, "deep sleep with RTC timer and RTC memory")
AWAKE = Current(44_000, "modem-sleep at 160 MHz, the upper figure: MicroPython runs, the radio is off")
LISTENING = Current(100_000, "Wi-Fi receives, the upper figure")
SENDING = Current(240_000, "Wi-Fi sends, 802.11b at 1 Mbit/s: the worst")
ADVERTISING = Current(130_000, "Bluetooth sends at 0 dBm, taken for the whole time of an advertisement")

# Assumed, not measured: put in what your board takes.
SENDING_SHARE_PERCENT = 10
SAMPLE_MS = 1_800  # start of MicroPython 1 s, DS18B20 0.75 s
DIAL_MS = 6_000  # join and DHCP 3 s, session and batch 1.5 s, listening for orders 1.5 s
ADVERTISE_MS = 300

BATTERY_MAH = 3_000  # one 18650
USABLE_PERCENT = 80  # cold, old, and cut off at 3.3 V

SCENARIOS = (
    # name, sample every s, dial every s (0 never), advertise at each sample
    ("sample 1 min, dial 15 min", 60, 900, False),
    ("sample 5 min, dial 1 h", 300, 3_600, False),
    ("sample 15 min, dial 6 h", 900, 21_600, False),
    ("sample 15 min, dial 24 h", 900, 86_400, False),
    ("sample 5 min, BTHome, no dial", 300, 0, True),
)


def online_microamps() -> int:
    """Return the mean current with Wi-Fi on."""
    return (
        SENDING.microamps * SENDING_SHARE_PERCENT + LISTENING.microamps * (100 - SENDING_SHARE_PERCENT)
    ) // 100


def microamp_hours_per_day(sleep_microamps: int, phases: tuple[Phase, ...]) -> int:
    """Return the charge of a day: sleep all day, and in each phase what it takes above that."""
    charge_uams = sleep_microamps * DAY_S * 1000
    for phase in phases:
        times = DAY_S // phase.every_s
        charge_uams += times * phase.duration_ms * (phase.microamps - sleep_microamps)
    return charge_uams // 3_600_000


def phases_of(sample_s: int, dial_s: int, is_advertising: bool) -> tuple[Phase, ...]:
    """Return what a node does in this rhythm."""
    phases = [Phase(AWAKE.microamps, SAMPLE_MS, sample_s)]
    if dial_s:
        phases.append(Phase(online_microamps(), DIAL_MS, dial_s))
    if is_advertising:
        phases.append(Phase(ADVERTISING.microamps, ADVERTISE_MS, sample_s))
    return tuple(phases)


def table() -> str:
    """Return the Markdown table of all scenarios."""
    usable_uah = BATTERY_MAH * USABLE_PERCENT * 10
    charges = [
        (name, microamp_hours_per_day(SLEEP.microamps, phases_of(sample_s, dial_s, is_advertising)))
        for name, sample_s, dial_s, is_advertising in SCENARIOS
    ]
    charges.append(("always connected", online_microamps() * 24))
    lines = ["| rhythm | mAh per day | days from 2,400 mAh |", "| --- | --- | --- |"]
    lines += [f"| {name} | {uah / 1000:.1f} | {usable_uah // uah} |" for name, uah in charges]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
