"""The simulated board: the Unix port, with stand-ins for machine and network (tools/sim_nodes)."""

import machine

from firmware.board.generic import GenericBoard


class Board(GenericBoard):
    """What the stand-ins have. The voltage of its battery can be set."""

    name = "pc"

    def onewire(self, pin: int):
        """Return a bus with one thermometer."""
        return machine.OneWire(pin)

    def pulse_counter(self, pin: int):
        """Return a counter of simulated pulses."""
        return machine.Counter(0, machine.Pin(pin))

    def rtc_ms(self) -> int:
        """Return what the clock of the stand-in says."""
        return machine.rtc_ms()

    def battery_mv(self) -> int:
        """Return what was set, 0 until then."""
        return machine.battery_mv()
