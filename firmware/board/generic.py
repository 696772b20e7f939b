"""What all boards have in common, by MicroPython's machine and network."""

import socket
import time

import machine
import network

_LED_BLINKS = 10
_LED_MS = 100
_ADVERTISE_EVERY_US = 100_000  # the least that Bluetooth 4 allows to who takes no connections


class GenericBoard:
    """The hardware of a node. Pins are numbers of the board's maker.

    led_pin: of the light on the board, None where there is none. battery_adc: (pin, upper_ohm, lower_ohm) of
    the divider that measures the battery, None where there is none.
    """

    name = "generic"
    led_pin = None
    battery_adc = None

    def ticks_ms(self) -> int:
        """Return a counter of milliseconds that wraps."""
        return time.ticks_ms()

    def adc(self, pin: int):
        """Return a machine.ADC."""
        return machine.ADC(machine.Pin(pin))

    def pin(self, number: int):
        """Return a machine.Pin, set up by whoever uses it."""
        return machine.Pin(number)

    def output(self, pin: int, value: int) -> None:
        """Set a pin high or low."""
        machine.Pin(pin, machine.Pin.OUT).value(value)

    def uart(self, number: int, baud: int, tx=None, rx=None):
        """Return a machine.UART, 8N1, read without blocking."""
        pins = {} if tx is None else {"tx": machine.Pin(tx), "rx": machine.Pin(rx)}
        return machine.UART(number, baud, timeout=0, **pins)

    def i2c(self, number: int, scl=None, sda=None):
        """Return a machine.I2C at 100 kHz, which long cables still carry."""
        pins = {} if scl is None else {"scl": machine.Pin(scl), "sda": machine.Pin(sda)}
        return machine.I2C(number, freq=100_000, **pins)

    def onewire(self, pin: int):
        """Return an onewire.OneWire."""
        from onewire import OneWire  # noqa: PLC0415 - frozen into the boards' MicroPython

        return OneWire(machine.Pin(pin))

    def pulse_counter(self, pin: int):
        """Return what counts rising edges: value()."""
        from firmware.drivers.pulse_counters import IrqCounter  # noqa: PLC0415 - where there is nothing better

        return IrqCounter(machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP), machine.Pin.IRQ_RISING)

    def time_pulse_us(self, pin, level: int, timeout_us: int) -> int:
        """Measure a pulse, as machine.time_pulse_us."""
        return machine.time_pulse_us(pin, level, timeout_us)

    def wlan(self):
        """Return the station interface, not switched on."""
        return network.WLAN(network.STA_IF)

    def restart_radio(self, wlan) -> None:
        """Switch the station interface off and on."""
        wlan.active(False)
        wlan.active(True)

    def set_host_name(self, name: str) -> None:
        """Say the name by which the network knows the node; before it joins."""
        network.hostname(name[:32])  # longer ones are refused

    def search_socket(self):
        """Return a UDP socket whose questions to a group go where hubs are."""
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def battery_mv(self) -> int:
        """Return the battery's voltage; 0 where it is not measured."""
        if self.battery_adc is None:
            return 0
        pin, upper_ohm, lower_ohm = self.battery_adc
        return self.adc(pin).read_u16() * 3300 // 65_535 * (upper_ohm + lower_ohm) // lower_ohm

    def blink(self, pin) -> None:
        """Switch a pin on and off for two seconds."""
        led = machine.Pin(pin, machine.Pin.OUT)
        for _ in range(2 * _LED_BLINKS):
            led.value(not led.value())
            time.sleep_ms(_LED_MS)

    def unique_id(self) -> bytes:
        """Return the chip's number."""
        return machine.unique_id()

    @property
    def can_sleep(self) -> bool:
        """True where memory and clock outlast a deep sleep: not on an rp2."""
        return hasattr(machine.RTC(), "memory")

    def rtc_ms(self) -> int:
        """Return milliseconds on the clock that goes on through a deep sleep; nobody ever sets it."""
        return time.time_ns() // 1_000_000

    def keep(self, data: bytes) -> None:
        """Put data into the memory that outlasts a deep sleep."""
        machine.RTC().memory(data)

    def kept(self) -> bytes:
        """Return what is in that memory."""
        return machine.RTC().memory()

    def bluetooth_address(self) -> bytes:
        """Return the 6 bytes in the order in which they are written. Switches Bluetooth on."""
        import bluetooth  # noqa: PLC0415 - takes memory, and not every board has it

        ble = bluetooth.BLE()
        ble.active(True)
        return bytes(ble.config("mac")[1])

    def advertise(self, packet: bytes, duration_ms: int) -> None:
        """Send an advertisement again and again for so long; then Bluetooth is off."""
        import bluetooth  # noqa: PLC0415 - as above

        ble = bluetooth.BLE()
        ble.active(True)
        ble.gap_advertise(_ADVERTISE_EVERY_US, adv_data=packet, connectable=False)
        time.sleep_ms(duration_ms)
        ble.gap_advertise(None)
        ble.active(False)

    def deep_sleep_ms(self, duration_ms: int) -> None:
        """Switch everything off for so long; the node starts anew after it."""
        machine.deepsleep(duration_ms)
