"""A file system in one file, read only: what a slot's modules lie in.

LittleFS gives each file a block of 4 kB, and each folder two: 78 modules of 107 kB in all take 95 blocks of
the 212 of a Pico W, and as one file 27. MicroPython imports from any object that can stat and open.

A pack is eight hexadecimal digits, the length of its index; the index, for each module a line "path offset
size", with an empty line before the first; and the modules. offset counts from the end of the index.
"""

import io
from errno import ENOENT

HEAD_BYTES = 8

_GET_BUFFER_SIZE = 11  # of MicroPython's py/stream.h
_READ_BYTES = 255  # the most that its importer takes

_FILE, _FOLDER = 0x8000, 0x4000  # modes, as os.stat has them


class _Module(io.IOBase):
    """A module in a pack, read piece by piece: as a whole it would take its size in memory a second time."""

    def __init__(self, file: io.RawIOBase, at: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._at = at
        self._end = at + size

    def readinto(self, buffer: bytearray) -> int:
        """Fill buffer, or as much of it as there is; return how much that was."""
        self._file.seek(self._at)
        count = self._file.readinto(memoryview(buffer)[: self._end - self._at])
        self._at += count
        return count

    def ioctl(self, request: int, argument: int) -> int:  # noqa: ARG002
        """Answer MicroPython's question how much it should read at once."""
        return _READ_BYTES if request == _GET_BUFFER_SIZE else 0


def pack(modules: "list[tuple[str, bytes]]") -> bytes:
    """Return the pack of modules, each with its path."""
    lines = ["\n"]
    offset = 0
    for path, content in modules:
        lines.append("%s %d %d\n" % (path, offset, len(content)))
        offset += len(content)
    index = "".join(lines).encode()
    return b"%08x" % len(index) + index + b"".join([content for _, content in modules])


class Pack:
    """What vfs.mount takes. The file stays open, and the index as it is: a dict would take twice as much."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")
        self._start = HEAD_BYTES + int(self._file.read(HEAD_BYTES), 16)
        self._index = self._file.read(self._start - HEAD_BYTES)

    def mount(self, is_read_only: bool, is_new: bool) -> None:
        """Be mounted."""

    def umount(self) -> None:
        """Be unmounted."""
        self._file.close()

    def stat(self, path: str) -> "tuple[int, ...]":
        """Return what os.stat does. Raises OSError."""
        name = b"\n" + path.lstrip("/").encode()
        if self._index.find(name + b"/") >= 0:
            return (_FOLDER,) + 9 * (0,)
        size = self._find(name)[1]
        return (_FILE, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def open(self, path: str, mode: str):  # noqa: ARG002
        """Return the content of a module. Raises OSError."""
        offset, size = self._find(b"\n" + path.lstrip("/").encode())
        return _Module(self._file, self._start + offset, size)

    def _find(self, name: bytes) -> "tuple[int, int]":
        at = self._index.find(name + b" ")
        if at < 0:
            raise OSError(ENOENT, "not in the pack")
        end = self._index.find(b"\n", at + 1)
        offset, size = self._index[at + len(name) : end].split()
        return int(offset), int(size)
