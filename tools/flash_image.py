"""A flash chip in memory, for the real LittleFS of the real MicroPython: counts, and tells what is done.

Runs in MicroPython.
"""

_BLOCK_COUNT = 4  # what ioctl is asked, as os.AbstractBlockDev has it
_BLOCK_SIZE = 5
_ERASE = 6


class FlashImage:
    """block_bytes: of one erase. programmed: bytes so far; erases: how often, by block.

    on_change: called with (address, bytes) before bytes are programmed, with (address, None) before an erase;
    when it returns an error number, negative, nothing is done and LittleFS is told; 0 lets it happen.
    """

    def __init__(self, blocks: int, block_bytes: int = 4096) -> None:
        self.block_bytes = block_bytes
        self.data = bytearray(b"\xff" * (blocks * block_bytes))
        self.programmed = 0
        self.erases = [0] * blocks
        self.on_change = self.accept

    @staticmethod
    def accept(address: int, change: bytearray | None) -> int:  # noqa: ARG004
        """Let a change happen: what on_change is until it is set."""
        return 0

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Copy from the chip."""
        address = block * self.block_bytes + offset
        buffer[:] = memoryview(self.data)[address : address + len(buffer)]

    def writeblocks(self, block: int, buffer: bytearray, offset: int = 0) -> int:
        """Program what was erased."""
        address = block * self.block_bytes + offset
        error = self.on_change(address, buffer)
        if not error:
            self.programmed += len(buffer)
            self.data[address : address + len(buffer)] = buffer
        return error

    def ioctl(self, request: int, block: int) -> int:
        """Answer what LittleFS asks, and erase."""
        if request == _BLOCK_COUNT:
            return len(self.erases)
        if request == _BLOCK_SIZE:
            return self.block_bytes
        return self._erase(block) if request == _ERASE else 0

    def _erase(self, block: int) -> int:
        address = block * self.block_bytes
        error = self.on_change(address, None)
        if not error:
            self.erases[block] += 1
            self.data[address : address + self.block_bytes] = b"\xff" * self.block_bytes
        return error
