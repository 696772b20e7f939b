"""mpremote as a library, in this one file: its authors announce that its interface is going to change.

Owns the cable and the prompt. What is done over them is decided elsewhere.
"""

import ast
import contextlib
import errno
import struct
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import serial  # type: ignore[import-untyped]
from mpremote import transport_serial  # type: ignore[import-untyped]
from mpremote.transport import TransportError, TransportExecError  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from hub.errors import OperatorNeeded, PenstockError, TryAgain

# It prints what it could not understand, in the middle of progress bars.
transport_serial.print = lambda *_words, **_options: None

PROMPT_S = 10.0  # for a board that is busy, or still starting
ERASE_S = 60.0  # a full flash is erased at about 80 ms a block
_ANSWER_S = 10.0
_PROBE_S = 0.15  # often enough within the three seconds in which the boot part listens
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_PIECE_BYTES = 768  # its text takes 1 kB of the board's memory
_OWN_USB = {0x2E8A, 0x303A, 0xF055}  # Raspberry Pi, Espressif, MicroPython
_BUSY_S = 1.0
_BUSY = "another program uses the port"
_UNPLUGGED = "plug it in again and repeat the command"
_NOTHING = "is it the right port? A new board first needs MicroPython: https://micropython.org/download"
_FULL = "remove files of yours, or clear Penstock's own with --wipe"


class Board:
    """A board at its raw prompt. Whatever ran on it is interrupted.

    Raises OperatorNeeded where the port cannot be used or nothing answers. Every method raises TryAgain when
    the board goes away, and PenstockError when it answers with an error.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._connect(PROMPT_S)

    def run(self, code: str, timeout_s: float = _ANSWER_S) -> str:
        """Run code and return what it printed. timeout_s: between two bytes of its output."""
        try:
            output, error = self._transport.exec_raw(code, timeout_s)
        except (TransportError, OSError, struct.error) as trouble:
            raise self._gone(trouble) from None
        if error:
            raise self._failed(error.decode(errors="replace"))
        return bytes(output).decode(errors="replace")

    def value(self, expression: str) -> Any:
        """Return the value of an expression of literals."""
        text = self.run(f"print(repr({expression}))")
        try:
            return ast.literal_eval(text.strip())
        except (ValueError, SyntaxError) as trouble:
            raise self._gone(trouble) from None

    def read(self, path: str) -> bytes | None:
        """Return what is in a small file, None when there is no such file."""
        text = self.run(f"try:\n print(open({path!r},'rb').read())\nexcept OSError:\n print(None)")
        try:
            content: bytes | None = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError) as trouble:
            raise self._gone(trouble) from None
        return content

    def write(self, path: str, content: bytes, told: Callable[[int], None] = lambda _bytes: None) -> None:
        """Write a file. told: called with the bytes of each piece that is written."""
        self.run(f"from binascii import a2b_base64 as a\nf=open({path!r},'wb')")
        try:
            for begin in range(0, len(content), _PIECE_BYTES):
                piece = content[begin : begin + _PIECE_BYTES]
                self.run(f"f.write(a({b64encode(piece)!r}))", ERASE_S)
                told(len(piece))
        finally:
            with contextlib.suppress(PenstockError):
                self.run("f.close()", ERASE_S)

    def sha256(self, path: str) -> bytes:
        """Return the SHA-256 of a file, computed on the board."""
        try:
            digest: bytes = self._transport.fs_hashfile(path, "sha256", chunk_size=512)
        except TransportExecError as trouble:
            raise self._failed(trouble.error_output) from None
        except (TransportError, OSError, struct.error, ValueError, SyntaxError) as trouble:
            raise self._gone(trouble) from None
        return digest

    def reset(self) -> None:
        """Start the board anew, as its reset button does, and let go of it."""
        try:
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        except (OSError, struct.error):
            pass  # with native USB the port is gone before the answer comes
        except TransportError as trouble:
            raise self._gone(trouble) from None
        finally:
            self.close()

    def restart_to_prompt(self) -> None:
        """Start the board anew and stop it in the pause that its boot part makes for that."""
        with contextlib.suppress(TryAgain):  # it restarts by itself just now
            self.reset()
        deadline_s = time.monotonic() + PROMPT_S
        while True:
            with contextlib.suppress(PenstockError):
                self._connect(max(_PROBE_S, deadline_s - time.monotonic()))
                return
            if time.monotonic() >= deadline_s:
                raise self._gone("it did not come back after its reset")
            time.sleep(_PROBE_S / 5)

    def close(self) -> None:
        """Let go of the port. The board stays as it is."""
        with contextlib.suppress(OSError, TransportError):
            self._transport.close()
        self._transport.serial.close()  # mpremote leaves it open when the board is gone

    def _connect(self, patience_s: float) -> None:
        self._transport = _open(self.port)
        try:
            _find_prompt(self._transport.serial, patience_s)
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ANSWER_S)
        except (TransportError, OSError):
            self.close()
            raise OperatorNeeded("no MicroPython answers", where=self.port, hint=_NOTHING) from None
        self._transport.serial.timeout = _ANSWER_S

    def _gone(self, trouble: object) -> TryAgain:
        return TryAgain(f"the board went away: {trouble}", where=self.port, hint=_UNPLUGGED)

    def _failed(self, error: str) -> PenstockError:
        last = error.strip().splitlines()[-1]
        if "ENOSPC" in last or last.endswith(f"OSError: {errno.ENOSPC}"):
            return OperatorNeeded("the board's flash is full", where=self.port, hint=_FULL)
        return PenstockError(f"the board answers {last}", where=self.port, hint="reset it and try again")


def ports() -> list[str]:
    """Return the ports that are boards for certain: those whose chip speaks USB itself."""
    return sorted(port.device for port in list_ports.comports() if port.vid in _OWN_USB)


def bridges() -> list[str]:
    """Return the USB ports behind which a board may be, or an RS485 line that nobody should disturb."""
    return sorted(port.device for port in list_ports.comports() if port.vid and port.vid not in _OWN_USB)


def serial_number(port: str) -> str:
    """Return the USB serial number of what hangs on a port, empty when there is none."""
    found = next((one for one in list_ports.comports() if one.device == port), None)
    return (found.serial_number or "") if found else ""


def port_with(number: str) -> str | None:
    """Return the port on which the USB device with that serial number hangs now."""
    return next((one.device for one in list_ports.comports() if number and one.serial_number == number), None)


def follow(port: str, heard: Callable[[bytes], None]) -> None:
    """Pass on what a board says, without a word to it, until it goes away. Raises OperatorNeeded."""
    transport = _open(port)
    try:
        while True:
            heard(transport.serial.read(max(1, transport.serial.in_waiting)))
    except OSError as trouble:
        raise TryAgain(f"the board went away: {trouble}", where=port, hint=_UNPLUGGED) from None
    finally:
        with contextlib.suppress(OSError):
            transport.close()


def shell(port: str) -> int:
    """Give the person at this terminal the board's prompt; return mpremote's exit code."""
    _open(port).close()  # says in our words what is wrong with the port
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume", "repl"]
    return subprocess.run(command, check=False).returncode


def _open(port: str) -> Any:
    """Open a port; one that is busy is given a moment: services look at what was plugged in just now."""
    deadline_s = time.monotonic() + _BUSY_S
    while True:
        try:
            return transport_serial.SerialTransport(port, timeout=_PROBE_S)
        except (TransportError, OSError):
            trouble = _why_not(port)
            if trouble.what != _BUSY or time.monotonic() > deadline_s:
                raise trouble from None
            time.sleep(_BUSY_S / 10)


def _why_not(port: str) -> OperatorNeeded:
    """Return what mpremote keeps to itself: why a port cannot be opened."""
    try:
        serial.Serial(port, exclusive=True).close()
    except OSError as trouble:
        number, text = trouble.errno, str(trouble)
    else:
        number, text = None, "it cannot be opened"
    if number in {errno.EAGAIN, errno.EBUSY} or "exclusively lock" in text:
        what, hint = _BUSY, "close it: Thonny, screen, penstock node logs …"
    elif number in {errno.EACCES, errno.EPERM}:
        what, hint = "no permission", "sudo usermod -aG dialout $USER, then log in again"
    elif number == errno.ENOENT:
        what, hint = "there is no such port", "is the board plugged in? A cable may carry power only"
    else:
        what, hint = f"no serial port: {text}", "give the board's, such as /dev/ttyACM0"
    return OperatorNeeded(what, where=port, hint=hint)


def _find_prompt(line: Any, patience_s: float) -> None:
    """Interrupt what runs until a raw prompt answers. Raises OSError, TransportError when none does.

    mpremote's own way has no end on a line on which something else talks without pause.
    """
    deadline_s = time.monotonic() + patience_s
    heard = b""
    while time.monotonic() < deadline_s:
        line.write(b"\r\x03\r\x01")
        probe_s = time.monotonic() + _PROBE_S
        while time.monotonic() < probe_s:
            heard = heard[-len(_BANNER) :] + line.read(max(1, line.in_waiting))
            if _BANNER in heard:
                return _wait_for_silence(line, deadline_s)
    raise TransportError("no raw prompt")


def _wait_for_silence(line: Any, deadline_s: float) -> None:
    """Hear the answers to every attempt: a late one would be taken for the answer to what comes next."""
    while line.read(max(1, line.in_waiting)):
        if time.monotonic() > deadline_s:
            raise TransportError("it does not stop talking")
