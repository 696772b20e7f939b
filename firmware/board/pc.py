"""The simulated board: the Unix port, with stand-ins for machine and network (tools/sim_nodes)."""

import machine

from firmware.board.generic import GenericBoard

_IPPROTO_IP, _IP_MULTICAST_IF = 0, 32  # of Linux; MicroPython has no names for them


class Board(GenericBoard):
    """What the stand-ins have. The voltage of its battery can be set."""

    name = "pc"
    led_pin = 25

    def onewire(self, pin: int):
        """Return a bus with one thermometer."""
        return machine.OneWire(pin)

    def pulse_counter(self, pin: int):
        """Return a counter of simulated pulses."""
        return machine.Counter(0, machine.Pin(pin))

    def rtc_ms(self) -> int:
        """Return what the clock of the stand-in says."""
        return machine.rtc_ms()

    def search_socket(self):
        """Return a UDP socket whose questions do not leave this machine."""
        found = super().search_socket()
        found.setsockopt(_IPPROTO_IP, _IP_MULTICAST_IF, b"\x7f\x00\x00\x01")
        return found

    def battery_mv(self) -> int:
        """Return what was set, 0 until then."""
        return machine.battery_mv()
