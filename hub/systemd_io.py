"""Telling systemd that the hub is ready and alive.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import os
import socket


class Notifier:
    """Speaks to the service manager when there is one, and is silent otherwise."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        self._address = variables.get("NOTIFY_SOCKET", "")
        micros = variables.get("WATCHDOG_USEC", "")
        self.watchdog_s: float | None = int(micros) / 1e6 if micros.isdigit() and int(micros) else None

    def ready(self) -> None:
        """Say that every part of the hub is running."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """Say that everything that has to move moves."""
        self._send(b"WATCHDOG=1")

    def _send(self, message: bytes) -> None:
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto(message, name)
        except OSError:
            return  # without a manager that listens the hub runs on; it is then nobody's to restart
