"""ESP32 of every kind with Wi-Fi. Source: MicroPython 1.28, "Quick reference for the ESP32"."""

import machine

from firmware.board.generic import GenericBoard


class Board(GenericBoard):
    """An ESP32. Pin 2 is the LED of most development boards."""

    name = "esp32"
    led_pin = 2

    def adc(self, pin: int):
        """Return an ADC that measures up to about 3.1 V."""
        return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)

    def pulse_counter(self, pin: int):
        """Return the hardware's counter where there is one: not on the C3, not before MicroPython 1.26."""
        if not hasattr(machine, "Counter"):
            return super().pulse_counter(pin)
        return machine.Counter(0, machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP))
