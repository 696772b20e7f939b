# mypy: ignore-errors
"""Stands for the module network, and is in the way of every connection: without air there is none."""

import asyncio
import time

STA_IF = 0
ENETUNREACH = 101  # of Linux; MicroPython has no name for it
_JOIN_MS = 300


class Air:
    """Whether there is Wi-Fi. Taking it away closes what was open, as boards do that notice it."""

    def __init__(self):
        self.is_on = True
        self._open_connection = asyncio.open_connection
        self._streams = []
        asyncio.open_connection = self.open_connection

    async def open_connection(self, host, port):
        """Connect as always, as long as there is air."""
        if not self.is_on:
            raise OSError(ENETUNREACH)
        reader, writer = await self._open_connection(host, port)
        self._streams.append(writer)
        del self._streams[:-4]
        return reader, writer

    def switch(self, is_on):
        """Give or take Wi-Fi."""
        self.is_on = is_on
        if not is_on:
            for stream in self._streams:
                stream.s.close()
            self._streams = []


AIR = Air()


class WLAN:
    """A station interface that joins in a third of a second."""

    def __init__(self, _interface):
        self._is_active = False
        self._joined_ms = None

    def active(self, is_active=None):
        """Switch the radio."""
        if is_active is not None:
            self._is_active = is_active
            self._joined_ms = None
        return self._is_active

    def connect(self, _ssid, _password):
        """Begin to join."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        self._joined_ms = time.ticks_add(time.ticks_ms(), _JOIN_MS)

    def disconnect(self):
        """Leave."""
        self._joined_ms = None

    def isconnected(self):
        """Return True when joined."""
        if not AIR.is_on:
            self._joined_ms = None
        return self._joined_ms is not None and time.ticks_diff(time.ticks_ms(), self._joined_ms) >= 0

    def status(self, what=None):
        """Return the signal's strength in dBm, or how far joining has come, as an rp2 says it."""
        if what == "rssi":
            return -61
        if self.isconnected():
            return 3
        return 1 if self._joined_ms is not None else -2  # no network found; stays so until the next connect()

    def config(self, **_settings):
        """Take settings."""


def hostname(name=None):
    """Take a name."""
    return name
