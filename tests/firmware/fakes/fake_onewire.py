"""A 1-Wire bus, bit by bit: the line is low when anybody pulls it low.

Source of the parts' behaviour: Maxim DS18B20 data sheet 19-7487 rev 6 and application note 187.
"""

POWER_ON = b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"  # 85 degrees; alarms as the factory leaves them in the EEPROM
CONVERSION_MS = 750


def crc8(data):
    """The sum as polynomial division of bits, most significant last: not the shift register of the driver."""
    bits = [byte >> bit & 1 for byte in data for bit in range(8)] + [0] * 8
    for index in range(len(bits) - 8):
        if bits[index]:
            for power in (0, 3, 4, 8):  # x^8 + x^5 + x^4 + 1 from the top
                bits[index + power] ^= 1
    return sum([bit << index for index, bit in enumerate(bits[-8:])])


def rom_of(serial, family=0x28):
    """Return the code of a part, with its sum."""
    head = bytes((family,)) + serial.to_bytes(6, "little")
    return head + bytes((crc8(head),))


class FakeDs18b20:
    def __init__(self, time, serial, family=0x28):
        self.rom = rom_of(serial, family)
        self.celsius_16 = 0  # what it would measure
        self._time = time
        self._state = self._idle
        self.lose_power()

    def lose_power(self):
        self.scratchpad = bytearray(POWER_ON)
        self._ready_at_ms = None
        self._state = self._idle

    def reset(self):
        self._bits = 0
        self._count = 0
        self._out = None
        self._state = self._rom_command

    def write(self, bit):
        self._state(bit)

    def read(self):
        """Return the bit it lets stand: 0 pulls the line low."""
        if self._out is None:
            return 1
        at = self._count
        self._count += 1
        if self._state == self._searched:
            bit = self.rom[at >> 4] >> (at >> 1 & 7) & 1
            return bit ^ (at & 1)
        return self._out[at >> 3] >> (at & 7) & 1 if at < 8 * len(self._out) else 1

    def _byte(self, bit):
        """Collect a byte, lowest bit first; return it when it is whole, else None."""
        self._bits |= bit << self._count
        self._count += 1
        if self._count < 8:
            return None
        byte, self._bits, self._count = self._bits, 0, 0
        return byte

    def _idle(self, bit):
        pass

    def _rom_command(self, bit):
        command = self._byte(bit)
        if command == 0xF0:
            self._out = self.rom
            self._state = self._searched
        elif command == 0x55:
            self._state = self._matched
        elif command == 0xCC:
            self._state = self._function
        elif command is not None:
            self._state = self._idle

    def _searched(self, bit):
        at = (self._count >> 1) - 1  # the bit that was shown twice before
        if bit != self.rom[at >> 3] >> (at & 7) & 1:
            self._out = None
            self._state = self._idle

    def _matched(self, bit):
        if bit != self.rom[self._count >> 3] >> (self._count & 7) & 1:
            self._state = self._idle
            return
        self._count += 1
        if self._count == 64:
            self._count = 0
            self._state = self._function

    def _function(self, bit):
        command = self._byte(bit)
        if command == 0x44:
            self._ready_at_ms = self._time.now_ms + CONVERSION_MS
            self._state = self._idle
        elif command == 0xBE:
            self._finish_conversion()
            self._out = bytes(self.scratchpad) + bytes((crc8(self.scratchpad),))
            self._state = self._idle
        elif command == 0x4E:
            self._written = 0
            self._state = self._writing
        elif command is not None:
            self._state = self._idle

    def _writing(self, bit):
        byte = self._byte(bit)
        if byte is not None and self._written < 3:
            self.scratchpad[2 + self._written] = byte
            self._written += 1

    def _finish_conversion(self):
        if self._ready_at_ms is not None and self._time.now_ms >= self._ready_at_ms:
            self.scratchpad[0] = self.celsius_16 & 0xFF
            self.scratchpad[1] = self.celsius_16 >> 8 & 0xFF


class FakeOneWire:
    """As MicroPython's onewire.OneWire."""

    def __init__(self, *parts):
        self.parts = list(parts)
        self.is_stuck_low = False
        self._reads = 0
        self._disturbed = []

    def disturb(self, *reads):
        """Turn over these of the bits read from now on, counted from 0."""
        self._reads = 0
        self._disturbed = reads

    def reset(self, required=False):
        for part in self.parts:
            part.reset()
        return bool(self.parts) or self.is_stuck_low

    def writebit(self, bit):
        for part in self.parts:
            part.write(bit)

    def readbit(self):
        bit = 0 if self.is_stuck_low else min([part.read() for part in self.parts] or [1])
        self._reads += 1
        return bit ^ 1 if self._reads - 1 in self._disturbed else bit

    def writebyte(self, byte):
        for index in range(8):
            self.writebit(byte >> index & 1)

    def readbyte(self):
        byte = 0
        for index in range(8):
            byte |= self.readbit() << index
        return byte
