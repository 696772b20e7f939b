"""Modbus RTU on a serial port that may vanish and come back under another name."""

import asyncio
import contextlib
import errno
import os
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import serial  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from hub.errors import TryAgain
from hub.modbus.line import Reply
from hub.modbus.pymodbus_io import Conversation, RtuFraming
from hub.modbus.requests import FIXED_GAP_ABOVE_BAUD, Request
from hub.modbus.settings import BusSettings
from hub.modbus.timerfd_io import PreciseTimer

BY_ID = Path("/dev/serial/by-id")
_LONGEST_FRAME_BYTES = 256  # MODBUS over Serial Line V1.02, section 2.5.1
_LINGER_S = 0.00005  # watched so long beyond the shortest time a request took; then it wakes the loop
_FORGET_S = 0.000002  # per reply, so that a slave that became slower is not waited for in vain for ever
_CONTROL_CHARACTERS = 6  # index in what tcgetattr returns
_KEPT_TIMES = 1024  # more than a bus polls different requests
_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


@dataclass(frozen=True, slots=True)
class PortIdentity:
    """What stays the same about a port. links: by-id names; hardware: vendor, product and serial number."""

    links: tuple[str, ...] = ()
    hardware: str = ""


class SerialLine:
    """A serial port. by_id: the folder in which stable names point to the ports there are."""

    is_tagged = False

    def __init__(self, settings: BusSettings, by_id: Path = BY_ID) -> None:
        self.is_open = False
        self._settings = settings
        self._by_id = by_id
        self._cost = settings.cost
        self._identity: PortIdentity | None = None
        self._serial: serial.Serial | None = None
        self._talk: Conversation | None = None
        self._timer: PreciseTimer | None = None
        self._busy_until_s = 0.0
        self._asked: Request | None = None
        self._usual_s: dict[Request, float] = {}

    async def open(self) -> None:
        """Open the port, wherever it is now, for this process alone. Raises TryAgain."""
        path = find_port(self._settings.port, self._identity)
        try:
            port = _opened(path, self._settings)
        except (serial.SerialException, OSError, ValueError, termios.error) as error:
            raise TryAgain(_reason(error), where=self._settings.port, hint=_hint(error)) from error
        self._identity = self._identity or identity_of(path, self._by_id)
        with contextlib.suppress(Exception):
            port.set_low_latency_mode(True)  # USB adapters else wait up to 16 ms before they pass bytes on
        self._serial, self._talk, self._timer = port, Conversation(RtuFraming()), PreciseTimer()
        asyncio.get_running_loop().add_reader(port.fileno(), self._read)
        # Whoever had the port before may have left a slave in the middle of its reply.
        self._busy_until_s = time.monotonic() + _LONGEST_FRAME_BYTES * self._cost.char_s
        self.is_open = True

    def now_s(self) -> float:
        """Return the clock that replies are stamped with."""
        return time.monotonic()

    async def close(self) -> None:
        """Give the port back."""
        self._lose()

    async def send(self, request: Request, timeout_s: float, not_before_s: float = 0.0) -> None:
        """Send a request, at the earliest one silence after the last byte on the line."""
        if self._timer is None or self._talk is None:
            return
        silent_s = max(self._busy_until_s, self._talk.heard_s) + self._cost.gap_s
        request_s = self._cost.request_s(request)
        wire_s = request_s + self._cost.reply_s(request) + 2 * self._cost.gap_s
        frame = self._talk.prepare(request, timeout_s + wire_s)
        await self._timer.until(max(silent_s, not_before_s))
        if self._serial is None:
            self._talk.lose()
            return
        self._drain()
        # Written first: whatever else there is to do is done while the frame is on the wire.
        sent_s = time.monotonic()
        self._write(frame)
        self._talk.begin(sent_s)
        self._asked = request if self._settings.baud > FIXED_GAP_ABOVE_BAUD else None
        self._busy_until_s = time.monotonic() + request_s

    async def reply(self) -> Reply:
        """Wait for what comes of the request sent last."""
        if self._talk is None:
            now_s = time.monotonic()
            return Reply(b"", "down", 0, now_s, now_s)
        await self._watch()
        reply = await self._talk.reply()
        if not reply.fault and self._asked is not None:
            took_s = reply.arrived_s - reply.sent_s
            known_s = self._usual_s.get(self._asked, took_s)
            if len(self._usual_s) >= _KEPT_TIMES:
                self._usual_s.clear()
            self._usual_s[self._asked] = min(took_s, known_s + _FORGET_S)
        return reply

    async def _watch(self) -> None:
        """Be awake when the reply of a fast line is due: to be woken by it takes longer than a character."""
        usual_s = self._usual_s.get(self._asked) if self._asked else None
        if usual_s is None or self._timer is None or self._talk is None:
            return
        due_s = self._talk.sent_s + usual_s
        await self._timer.near(due_s)
        while self._serial is not None and self._talk.is_waiting and time.monotonic() < due_s + _LINGER_S:
            with contextlib.suppress(OSError):
                data = os.read(self._serial.fileno(), 4096)
                if data:
                    self._talk.hear(data, time.monotonic())

    def _write(self, frame: bytes) -> None:
        try:
            if self._serial is None or os.write(self._serial.fileno(), frame) != len(frame):
                self._lose()
        except OSError:
            self._lose()

    def _drain(self) -> None:
        """Throw away what came too late for the request before."""
        with contextlib.suppress(OSError):
            while self._serial is not None and os.read(self._serial.fileno(), 4096):
                pass

    def _read(self) -> None:
        if self._serial is None:
            return
        try:
            data = os.read(self._serial.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data and self._talk is not None:
            self._talk.hear(data, time.monotonic())
        else:
            self._lose()

    def _lose(self) -> None:
        self.is_open = False
        if self._serial is not None:
            asyncio.get_running_loop().remove_reader(self._serial.fileno())
            with contextlib.suppress(Exception):
                self._serial.close()
            self._serial = None
        if self._timer is not None:
            self._timer.close()
        if self._talk is not None:
            self._talk.lose()


def _opened(path: str, settings: BusSettings) -> serial.Serial:
    # A pseudo-terminal has no parity, and Linux refuses to set one.
    is_pseudo = os.path.realpath(path).startswith("/dev/pts/")
    port = serial.Serial(
        path,
        settings.baud,
        parity=_PARITIES["none" if is_pseudo else settings.parity],
        stopbits=settings.stop_bits,
        timeout=0,
        exclusive=True,
    )
    # pyserial asks for empty reads when nothing is there, which is also what a port says that is gone.
    attributes = termios.tcgetattr(port.fileno())
    attributes[_CONTROL_CHARACTERS][termios.VMIN] = 1
    termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
    return port


def identity_of(path: str, by_id: Path = BY_ID) -> PortIdentity:
    """Return what to know a port by when its name has changed."""
    real = os.path.realpath(path)
    links = tuple(str(link) for link in _links(by_id) if os.path.realpath(link) == real)
    for port in list_ports.comports():
        if os.path.realpath(port.device) == real and port.vid is not None:
            return PortIdentity(links, f"{port.vid:04x}:{port.pid:04x}:{port.serial_number or port.location}")
    return PortIdentity(links)


def find_port(path: str, identity: PortIdentity | None = None) -> str:
    """Return where a port is now: where its stable names point, where its hardware is, else its path."""
    for link in identity.links if identity else ():
        if Path(link).exists():
            return link
    if identity and identity.hardware:
        for port in list_ports.comports():
            if port.vid is None:
                continue
            hardware = f"{port.vid:04x}:{port.pid:04x}:{port.serial_number or port.location}"
            if hardware == identity.hardware:
                return str(port.device)
    return path


def _links(by_id: Path) -> list[Path]:
    try:
        return sorted(by_id.iterdir())
    except OSError:
        return []


def _reason(error: Exception) -> str:
    number = _number(error)
    if number == errno.ENOTTY:
        return "is not a serial port"
    return f"cannot be opened: {os.strerror(number) if number else error}"


def _hint(error: Exception) -> str:
    if isinstance(error, serial.SerialException) and "lock" in str(error).lower():
        return "another program has the port open: stop it, or give it a port of its own"
    hints = {
        errno.ENOENT: "is it plugged in? /dev/serial/by-id lists the ports there are",
        errno.EACCES: "add the user to the group dialout",
        errno.ENOTTY: "/dev/serial/by-id lists the ports there are",
    }
    return hints.get(_number(error) or 0, "check the port and its settings")


def _number(error: BaseException) -> int | None:
    """Return the system's number of what went wrong: pyserial and termios keep it in places of their own."""
    inner = error.__context__ if isinstance(error, serial.SerialException) else None
    number = getattr(error, "errno", None) or (error.args[0] if isinstance(error, termios.error) else None)
    return number if isinstance(number, int) else _number(inner) if inner else None
