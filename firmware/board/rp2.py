"""Raspberry Pi Pico W and Pico 2 W. Source: MicroPython 1.28, "Quick reference for the RP2"."""

import machine

from firmware.board.generic import GenericBoard

# The CYW43 sleeps between beacons otherwise: late answers and lost connections.
# Source: network.WLAN.PM_NONE; micropython-mqtt turns it off as well.
_NO_POWER_SAVING = 0xA11140


class Board(GenericBoard):
    """A Pico W. Its LED hangs on the radio's chip."""

    name = "rp2"
    led_pin = "LED"

    def __init__(self) -> None:
        self._counters = 0

    def pulse_counter(self, pin: int):
        """Return a PIO state machine that counts: also while flash is written and interrupts are off."""
        import rp2  # noqa: PLC0415 - the module of the port, not this one

        from firmware.drivers.pulse_counters import PioCounter  # noqa: PLC0415 - not every node counts

        self._counters += 1
        return PioCounter(rp2, self._counters - 1, machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP))

    def restart_radio(self, wlan) -> None:
        """Switch the radio off and on, without power saving: a setting that switching off forgets."""
        super().restart_radio(wlan)
        wlan.config(pm=_NO_POWER_SAVING)
