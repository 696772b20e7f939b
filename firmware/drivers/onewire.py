"""Finding parts on a 1-Wire bus, and the check sum of what they say.

The bus is MicroPython's onewire.OneWire: reset, readbit, writebit, readbyte, writebyte. Its own scan checks
no sum, so that a disturbed bus yields parts that are not there.
Source: Analog Devices (Maxim) application notes 187, "1-Wire Search Algorithm", and 27, "Understanding and
Using Cyclic Redundancy Checks with Maxim iButton Products".
"""

SEARCH_ROM = 0xF0
ROM_BYTES = 8
PASSES_SPARE = 4  # passes that may fail by disturbance, in all


def crc8(data, length: int) -> int:
    """Return the sum of the first bytes: x^8 + x^5 + x^4 + 1, from 0, lowest bit first."""
    crc = 0
    for index in range(length):
        crc ^= data[index]
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def search(bus, most: int = 8) -> list:
    """Return the ROM codes on the bus, at most so many, in the order of the search: always the same."""
    found = []
    last_fork = 0
    rom = bytearray(ROM_BYTES)
    for _ in range(most + PASSES_SPARE):
        attempt = bytearray(rom)
        fork = _walk(bus, attempt, last_fork)
        if fork is None:
            continue
        rom, last_fork = attempt, fork
        if bytes(rom) not in found:
            found.append(bytes(rom))
        if last_fork == 0 or len(found) >= most:
            break
    return found


def _walk(bus, rom, last_fork: int):
    """Follow one path through the tree of codes into rom; return its last fork to come back to, 0 for none.

    rom: the path walked before. None when nobody answered or the code's sum is wrong.
    """
    if not bus.reset():
        return None
    bus.writebyte(SEARCH_ROM)
    fork = 0
    for number in range(1, 8 * ROM_BYTES + 1):
        bit, complement = bus.readbit(), bus.readbit()
        if bit and complement:
            return None
        if (
            bit == complement
        ):  # parts differ here: the old way up to the last fork, there the 1, behind it the 0
            bit = _bit(rom, number) if number < last_fork else int(number == last_fork)
            fork = number if bit == 0 else fork
        _set_bit(rom, number, bit)
        bus.writebit(bit)
    return fork if any(rom) and crc8(rom, ROM_BYTES) == 0 else None


def _bit(rom, number: int) -> int:
    return rom[(number - 1) >> 3] >> ((number - 1) & 7) & 1


def _set_bit(rom, number: int, bit: int) -> None:
    mask = 1 << ((number - 1) & 7)
    rom[(number - 1) >> 3] = rom[(number - 1) >> 3] & ~mask | (mask if bit else 0)
