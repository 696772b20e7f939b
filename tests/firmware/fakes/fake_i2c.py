"""I2C with one part on it; it answers nobody else, and not at all while it is away."""

ENODEV = 19


class FakeI2c:
    def __init__(self, address, part):
        self._address = address
        self.part = part
        self.is_away = False

    def readfrom_mem(self, address, register, length):
        buffer = bytearray(length)
        self.readfrom_mem_into(address, register, buffer)
        return bytes(buffer)

    def readfrom_mem_into(self, address, register, buffer):
        self._answered(address)
        for index in range(len(buffer)):
            buffer[index] = self.part.register(register + index)

    def writeto_mem(self, address, register, data):
        self._answered(address)
        for index, byte in enumerate(data):
            self.part.write_register(register + index, byte)

    def writeto(self, address, data):
        self._answered(address)
        self.part.command(bytes(data))

    def readfrom_into(self, address, buffer):
        self._answered(address)
        buffer[:] = self.part.answer()[: len(buffer)]

    def _answered(self, address):
        if self.is_away or address != self._address:
            raise OSError(ENODEV)
