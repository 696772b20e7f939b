"""A board on a pseudo-terminal: MicroPython in a process of its own, a cable that can be pulled.

Owns the process, the terminal and the reset line; what the board does is in rom.py.
"""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tools import micropython

ROM = Path(__file__).with_name("rom.py")
BLOCK_BYTES = 4096
_STARTS = {b"!": "hard", b"f": "friendly", b"r": "raw"}
_POWER, _RESET, _SOFT = (
    1,
    3,
    5,
)  # reset causes; an RP2040 that resets itself says "watchdog", and so does this
_PIECE_BYTES = 4096
_JOIN_S = 10.0
_WAITS_S = 0.5


class SimulatedBoard:
    """A board with power and cable while the context lasts; its flash is the file image, kept after it.

    image: made erased when it is missing. blocks: of 4096 bytes. version: what MicroPython says of itself.
    watchdog_s: how long it goes without being fed, once the application has started it.
    line_bytes_per_s: how fast the cable carries what is sent to the board; None is as fast as can be.
    """

    def __init__(
        self, image: Path, *, blocks: int = 192, version: str = "1.28.0", watchdog_s: float = 8.0
    ) -> None:
        self._image = image
        self._blocks = blocks
        self._version = version
        self._watchdog_s = watchdog_s
        self.line_bytes_per_s: float | None = None
        self._bites_at_s: float | None = None
        self._starts = micropython.command()
        self._bytes_until_pulled: int | None = None
        self._is_running = False
        self._said = bytearray()
        self._lock = threading.Condition()

    def __enter__(self) -> Self:
        if not self._image.exists():
            self._image.write_bytes(b"\xff" * (self._blocks * BLOCK_BYTES))
        self.plug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pull()

    @property
    def port(self) -> str:
        """Return the name the port has, or had last."""
        return self._port

    @property
    def said(self) -> str:
        """Return everything the board said since the cable was plugged in."""
        with self._lock:
            return self._said.decode(errors="replace")

    def wait_for(self, text: str, timeout_s: float = 20.0) -> None:
        """Return once the board has said text. Raises TimeoutError."""
        with self._lock:
            if not self._lock.wait_for(lambda: text.encode() in self._said, timeout_s):
                raise TimeoutError(f"the board did not say {text!r}; it said {bytes(self._said[-2000:])!r}")

    def plug(self) -> None:
        """Give power and a port, under a name of its own; the board starts."""
        self._master, self._slave = os.openpty()  # the slave stays open: else every reader ends the line
        tty.setraw(self._slave)
        self._port = os.ttyname(self._slave)
        self._stop_out, self._stop_in = os.pipe()
        self._said.clear()
        self._bytes_until_pulled = None
        self._power_on("hard", _POWER)
        self._thread = threading.Thread(target=self._carry, name=f"board {self._image.name}", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Take power and port away, at once."""
        if self._thread.is_alive():
            with contextlib.suppress(OSError):
                os.write(self._stop_in, b"!")
            self._thread.join(_JOIN_S)
        for descriptor in (self._stop_in, self._stop_out):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def pull_after(self, heard_bytes: int) -> None:
        """Pull the cable once the board has been sent that many more bytes."""
        self._bytes_until_pulled = heard_bytes

    def _power_on(self, start: str, cause: int) -> None:
        self._process = subprocess.Popen(
            [*self._starts, str(ROM), str(self._image), str(self._blocks), self._version, start, str(cause)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._is_running = False
        self._bites_at_s = None

    def _power_off(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None  # asked for above
            pipe.close()

    def _carry(self) -> None:
        try:
            while self._carry_once():
                pass
        finally:
            self._power_off()
            os.close(self._master)
            os.close(self._slave)

    def _carry_once(self) -> bool:
        """Move what there is to move. Return False once the cable is out."""
        output, notes = self._process.stdout, self._process.stderr
        assert output is not None
        assert notes is not None
        patience_s = None if self._bites_at_s is None else max(0.0, self._bites_at_s - time.monotonic())
        watched: list[Any] = [self._stop_out, output, notes, self._master]
        ready = select.select(watched, [], [], patience_s)[0]
        if self._stop_out in ready:
            return False
        if output in ready and (data := os.read(output.fileno(), _PIECE_BYTES)):
            self._from_board(data)
        elif notes in ready:
            self._obey(os.read(notes.fileno(), 1))
        elif self._master in ready:
            return self._to_board(os.read(self._master, _PIECE_BYTES))
        elif not ready:
            self._restart("hard", _RESET)  # the watchdog
        return True

    def _from_board(self, data: bytes) -> None:
        with self._lock:
            self._said += data
            self._lock.notify_all()
        _, writable, _ = select.select([], [self._master], [], 0)
        if writable:  # with nobody at the other end a UART's bytes are lost as well
            os.write(self._master, data)

    def _obey(self, word: bytes) -> None:
        if word in _STARTS:
            self._restart(_STARTS[word], _RESET if word == b"!" else _SOFT)
        elif word == b"w":
            self._bites_at_s = time.monotonic() + self._watchdog_s
        elif not word:
            self._restart("hard", _RESET)  # the interpreter died
        elif word in {b"+", b"-"}:
            self._is_running = word == b"+"
        else:
            with self._lock:
                self._said += word  # the interpreter's own last words

    def _restart(self, start: str, cause: int) -> None:
        self._power_off()
        self._power_on(start, cause)

    def _to_board(self, data: bytes) -> bool:
        if self._bytes_until_pulled is not None:
            self._bytes_until_pulled -= len(data)
            if self._bytes_until_pulled <= 0:
                return False
        if self.line_bytes_per_s:
            time.sleep(len(data) / self.line_bytes_per_s)
        if self._is_running and b"\x03" in data:
            self._interrupt()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(data)
        return True

    def _interrupt(self) -> None:
        """Make a KeyboardInterrupt of Ctrl-C once the program waits for something.

        The Unix port raises it wherever it is, in an allocation too; then its heap stays locked.
        """
        program = psutil.Process(self._process.pid)
        deadline_s = time.monotonic() + _WAITS_S
        while program.status() != psutil.STATUS_SLEEPING and time.monotonic() < deadline_s:
            time.sleep(0.001)
        self._process.send_signal(signal.SIGINT)
