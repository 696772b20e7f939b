"""A serial cable made of a pseudo-terminal, with a link that stays while the port's name changes.

Owns the two descriptors and the link. Leaves pacing and frames to others.
"""

import os
import tempfile
import termios
import tty
from pathlib import Path

from hub.errors import OperatorNeeded

LINK_NAME = "usb-Penstock_Simulated_RS485-if00-port0"

_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600)
    if hasattr(termios, f"B{baud}")
}
_OUTPUT_SPEED = 5  # index in what termios.tcgetattr returns


class Cable:
    """A port that can be pulled and plugged. link: the path that plays /dev/serial/by-id/…"""

    def __init__(self, baud: int, link: Path | None = None) -> None:
        self._folder = None if link else tempfile.TemporaryDirectory(prefix="penstock-bus-")
        self.link = link.absolute() if link else Path(self._folder.name if self._folder else "") / LINK_NAME
        self._baud = baud
        self._last_name = ""
        self._far: int | None = None
        self.near: int | None = None

    @property
    def name(self) -> str:
        """Return the name of the port now, or the last it had."""
        return self._last_name

    def plug(self) -> None:
        """Open a port under a name other than the last one and point the link to it.

        Raises: OperatorNeeded.
        """
        if self.near is not None:
            return
        near, far = os.openpty()
        if os.ttyname(far) == self._last_name:
            spare = near, far
            near, far = os.openpty()
            _close(*spare)
        tty.setraw(far)
        _set_speed(far, self._baud)
        os.set_blocking(near, False)
        self.near, self._far, self._last_name = near, far, os.ttyname(far)
        self._point_link()

    def pull(self) -> None:
        """Close the port and take its link away."""
        if self.near is None or self._far is None:
            return
        if self.link.is_symlink() and self.link.readlink() == Path(self._last_name):
            self.link.unlink()
        _close(self.near, self._far)
        self.near = self._far = None

    def close(self) -> None:
        """Pull the cable for good."""
        self.pull()
        if self._folder:
            self._folder.cleanup()

    def fits(self) -> bool:
        """Return whether whoever opened the port set the line's speed; a pseudo-terminal drops the parity."""
        if self.near is None:
            return False
        speed = _SPEEDS.get(termios.tcgetattr(self.near)[_OUTPUT_SPEED])
        return speed in (None, self._baud) or self._baud not in _SPEEDS.values()

    def _point_link(self) -> None:
        if self.link.exists() and not self.link.is_symlink():
            hint = "choose another path, or move it away"
            raise OperatorNeeded(
                "something that is no link is already there", where=str(self.link), hint=hint
            )
        fresh = self.link.with_name(f".{self.link.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self._last_name)
            fresh.replace(self.link)
        except OSError as error:
            hint = "its folder must exist and be writable"
            raise OperatorNeeded(f"no link: {error.strerror}", where=str(self.link), hint=hint) from error


def _set_speed(descriptor: int, baud: int) -> None:
    code = next((code for code, known in _SPEEDS.items() if known == baud), None)
    if code is None:
        return
    attributes = termios.tcgetattr(descriptor)
    attributes[_OUTPUT_SPEED - 1] = attributes[_OUTPUT_SPEED] = code
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
