"""The ways onto a simulated bus: a serial cable and TCP connections. Bytes in and out, no frames."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from hub.errors import OperatorNeeded
from tools.sim.cable import Cable
from tools.sim.frames import Ear

_READ_BYTES = 4096


class Port:
    """One way in: a descriptor, the ear at it, since when it is silent. connection: None for the cable."""

    def __init__(self, descriptor: int, connection: socket.socket | None = None) -> None:
        self.descriptor = descriptor
        self.connection = connection
        self.ear = Ear()
        self.heard_s = 0.0


class Ports:
    """All ports of a bus, open between plug and pull. tcp_port: None for no TCP, 0 for any."""

    def __init__(self, baud: int, link: Path | None, tcp_port: int | None) -> None:
        self.cable = Cable(baud, link)
        self.tcp_port = tcp_port
        self._open: dict[int, Port] = {}
        self._listener: socket.socket | None = None

    def plug(self) -> None:
        """Open what is closed. Raises: OperatorNeeded."""
        self.cable.plug()
        if self.cable.near is not None and self.cable.near not in self._open:
            self._open[self.cable.near] = Port(self.cable.near)
        if self.tcp_port is not None and self._listener is None:
            self._listener = _listener_on(self.tcp_port)
            self.tcp_port = self._listener.getsockname()[1]

    def pull(self) -> None:
        """Close everything."""
        for port in self._open.values():
            if port.connection:
                port.connection.close()
        self._open.clear()
        if self._listener:
            self._listener.close()
            self._listener = None
        self.cable.pull()

    def close(self) -> None:
        """Close everything for good."""
        self.pull()
        self.cable.close()

    def watched(self) -> list[int]:
        """Return the descriptors on which something may arrive."""
        return [*self._open, *([self._listener.fileno()] if self._listener else [])]

    def unfinished(self) -> Iterator[Port]:
        """Yield the ports at which a frame has begun and not ended."""
        return (port for port in list(self._open.values()) if port.ear.is_listening)

    def find(self, descriptor: int) -> Port | None:
        """Return the port of a descriptor; accept a connection when it is the listener's."""
        if self._listener and descriptor == self._listener.fileno():
            self._accept(self._listener)
        return self._open.get(descriptor)

    def read(self, port: Port) -> bytes:
        """Return what has arrived; a connection that ended is closed."""
        try:
            data = os.read(port.descriptor, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data and port.connection is not None:
            del self._open[port.descriptor]
            port.connection.close()
        return data

    def write(self, descriptor: int, frame: bytes) -> None:
        """Send a frame. A port that is full or gone loses it, as a line nobody listens to does."""
        if descriptor in self._open:
            with contextlib.suppress(OSError):
                os.write(descriptor, frame)

    def understands(self, port: Port) -> bool:
        """Return whether what arrives there was sent at the speed of the line."""
        return port.connection is not None or self.cable.fits()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[connection.fileno()] = Port(connection.fileno(), connection)


def _listener_on(port: int) -> socket.socket:
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        hint = "take another port, or 0 for any"
        raise OperatorNeeded(str(error), where=f"127.0.0.1:{port}", hint=hint) from error
    listener.setblocking(False)  # a client may be gone before it is accepted
    return listener
