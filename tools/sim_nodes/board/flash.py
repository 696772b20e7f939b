# mypy: ignore-errors
"""The flash of a simulated board: a file, in erase blocks; a write can be cut off in its middle."""

BLOCK_BYTES = 4096
PROGRAM_BYTES = 256  # as the rp2 has it

_IOCTL_BLOCKS, _IOCTL_BLOCK_BYTES, _IOCTL_ERASE = 4, 5, 6


class Flash:
    """A block device for LittleFS. is_cut: the next write gets half-way, and on_cut, called then, ends it."""

    def __init__(self, path, blocks, on_cut=None):
        self._blocks = blocks
        self._on_cut = on_cut
        self._file = open(path, "r+b")  # open while the board has power
        self.is_cut = False

    def readblocks(self, block, buffer, offset=0):
        """Fill buffer from there."""
        self._file.seek(block * BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        """Write buffer there."""
        self._file.seek(block * BLOCK_BYTES + offset)
        if self.is_cut:
            self._file.write(memoryview(buffer)[: len(buffer) // 2])
            self._on_cut()
        self._file.write(buffer)

    def ioctl(self, request, _argument):
        """Answer how many blocks there are and of what size, and erase."""
        if request == _IOCTL_BLOCKS:
            return self._blocks
        if request == _IOCTL_BLOCK_BYTES:
            return BLOCK_BYTES
        if request == _IOCTL_ERASE and self.is_cut:
            self._on_cut()
        return 0
