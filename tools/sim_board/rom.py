"""What a board does from its reset on, in the Unix port of MicroPython.

    micropython rom.py IMAGE BLOCKS VERSION START CAUSE

LittleFS on a file is the whole file system. After a hard start boot.py and main.py run, then the REPL; after
a soft one boot.py only. The REPL follows shared/runtime/pyexec.c, raw paste included; the Unix port has none.
Standard error tells the cable (see board.py) what only it can do, one byte each.
START: hard, friendly or raw, the latter two after a soft reset. CAUSE: what machine.reset_cause() says.
"""

import io
import os
import struct
import sys

RUNS, IDLE, HARD_RESET, SOFT_FRIENDLY, SOFT_RAW, FED = b"+", b"-", b"!", b"f", b"r", b"w"
BLOCK_BYTES = 4096
WINDOW_BYTES = 128
CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"


class Flash:
    """A file as a block device."""

    def __init__(self, path: str, blocks: int) -> None:
        self.blocks = blocks
        self.file = open(path, "r+b")  # noqa: PTH123, SIM115  # open while the board has power

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Fill buffer from there."""
        self.file.seek(block * BLOCK_BYTES + offset)
        self.file.readinto(buffer)

    def writeblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Write buffer there."""
        self.file.seek(block * BLOCK_BYTES + offset)
        self.file.write(buffer)

    def ioctl(self, request: int, _argument: int) -> int:
        """Answer how many blocks there are, and of what size."""
        return {4: self.blocks, 5: BLOCK_BYTES}.get(request, 0)


class Watchdog:
    """Resets the board unless it is fed; the cable counts. It cannot be stopped, as on the real ones."""

    def __init__(self, timeout: int = 5000) -> None:  # noqa: ARG002  # the cable's is what counts
        self.feed()

    def feed(self) -> None:
        """Start the count anew."""
        _tell(FED)


class Machine:
    """Stands for the module machine."""

    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
    WDT = Watchdog

    @staticmethod
    def reset() -> None:
        """Pull the reset line."""
        _end(HARD_RESET)

    @staticmethod
    def reset_cause() -> int:
        """Return why the board started."""
        return int(sys.argv[5])

    @staticmethod
    def unique_id() -> bytes:
        """Return the chip's number: the image's name will do."""
        return sys.argv[1].encode()[-8:]


class System:
    """Stands for the module sys, so that the board can be of any version."""


def start(image: str, blocks: int, version: str, kind: str) -> None:
    """Be a board, for ever."""
    _mount(Flash(image, blocks))
    _put_modules(version)
    names: dict[str, object] = {"__name__": "__main__"}
    if kind != "hard":
        _say("MPY: soft reboot\r\n")
    is_fine = _run_file("boot.py", names)
    if kind == "hard" and is_fine:
        _run_file("main.py", names)
    is_raw = kind == "raw"
    while True:
        try:
            (_raw_repl if is_raw else _friendly_repl)(names)
            is_raw = not is_raw
        except KeyboardInterrupt:
            pass  # it was meant for a program that had just ended


def _mount(flash: Flash) -> None:
    littlefs = os.VfsLfs2  # type: ignore[attr-defined]  # MicroPython's
    os.umount("/")  # type: ignore[attr-defined]
    try:
        os.mount(littlefs(flash), "/")  # type: ignore[attr-defined]
    except OSError:
        littlefs.mkfs(flash)
        os.mount(littlefs(flash), "/")  # type: ignore[attr-defined]
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]


def _put_modules(version: str) -> None:
    for name in dir(sys):
        setattr(System, name, getattr(sys, name))
    parts = tuple(int(part) for part in version.split("."))

    class Implementation:
        name = "micropython"
        _machine = "Simulated board with Unix port"
        _mpy = sys.implementation._mpy  # noqa: SLF001  # how MicroPython tells it
        version = parts

    System.implementation = Implementation  # type: ignore[attr-defined]  # a stand-in
    sys.modules["sys"] = System  # type: ignore[assignment]  # MicroPython asks for no more than attributes
    sys.modules["machine"] = Machine  # type: ignore[assignment]


def _run_file(path: str, names: dict[str, object]) -> bool:
    """Return True unless the file raised, as boards do: then main.py is left out after boot.py."""
    try:
        with open(path) as file:  # noqa: PTH123
            source = file.read()
    except OSError:
        return True
    error = _execute(source, path, "exec", names)
    _say(error)
    return not error


def _execute(source: str, path: str, mode: str, names: dict[str, object]) -> str:
    """Run source and return its traceback, empty when all went well."""
    report = io.StringIO()
    try:
        _tell(RUNS)
        exec(compile(source, path, mode), names)
    except SystemExit:
        _end(SOFT_FRIENDLY)
    except BaseException as error:  # noqa: BLE001  # a REPL survives everything
        sys.print_exception(error, report)  # type: ignore[attr-defined]  # MicroPython's
    finally:
        _tell(IDLE)
    return report.getvalue()


def _friendly_repl(names: dict[str, object]) -> None:
    """Serve people until Ctrl-A."""
    _say("\r\nMicroPython on a simulated board\r\n>>> ")
    line = b""
    while True:
        byte = _hear()
        if byte == CTRL_A:
            return
        if byte == CTRL_D and not line:
            _end(SOFT_FRIENDLY)
        if byte in (CTRL_B, CTRL_C):
            line = b""
            _say("\r\n>>> ")
        elif byte in (b"\r", b"\n"):
            _say("\r\n" + _execute(line.decode() + "\n", "<stdin>", "single", names) + ">>> ")
            line = b""
        else:
            line += byte
            _say(byte.decode())


def _raw_repl(names: dict[str, object]) -> None:
    """Serve programs until Ctrl-B."""
    _say("raw REPL; CTRL-B to exit\r\n>")
    source = b""
    while True:
        byte = _hear()
        if byte == CTRL_B:
            return
        if byte == CTRL_A:
            if source == CTRL_E + b"A":
                _answer(_pasted(), names)
            else:
                _say("raw REPL; CTRL-B to exit\r\n>")
            source = b""
        elif byte == CTRL_C:
            source = b""
        elif byte == CTRL_D:
            _say("OK")
            if not source:
                _end(SOFT_RAW)
            _answer(source, names)
            source = b""
        else:
            source += byte


def _pasted() -> bytes:
    """Receive source in windows, until Ctrl-D."""
    sys.stdout.buffer.write(b"R\x01" + struct.pack("<H", WINDOW_BYTES) + CTRL_A)
    source = bytearray()
    while (byte := _hear()) != CTRL_D:
        source += byte
        if len(source) % WINDOW_BYTES == 0:
            sys.stdout.buffer.write(CTRL_A)
    sys.stdout.buffer.write(CTRL_D)
    return bytes(source)


def _answer(source: bytes, names: dict[str, object]) -> None:
    error = _execute(source.decode(), "<stdin>", "exec", names)
    _say("\x04" + error + "\x04>")


def _hear() -> bytes:
    byte = sys.stdin.buffer.read(1)
    if not byte:
        sys.exit()
    return byte


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode())


def _tell(word: bytes) -> None:
    sys.stderr.buffer.write(word)


def _end(word: bytes) -> None:
    _tell(word)
    while True:
        sys.stdin.buffer.read(1)  # the cable ends this process


if __name__ == "__main__":
    start(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
