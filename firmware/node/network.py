"""Keeps the node on the Wi-Fi: asks the state machine four times a second and does what it says."""

import asyncio

from firmware.node import wifi

STEP_S = 0.25


class Network:
    """The radio of a board; board.wlan() is None where the network is there by other means."""

    def __init__(self, board, credentials, ticks, restart_board) -> None:
        self._board = board
        self._wlan = board.wlan()
        self._credentials = credentials
        self._ticks = ticks
        self._restart_board = restart_board
        self._joined = asyncio.Event()
        self.state = wifi.Wifi(ticks.now_ms())

    @property
    def is_up(self) -> bool:
        """True while the node is on the network."""
        return self._wlan is None or self._joined.is_set()

    async def wait(self) -> None:
        """Return when the node is on the network."""
        if not self.is_up:
            await self._joined.wait()

    def heard(self, now_ms: int) -> None:
        """Note that the hub answered."""
        self.state.heard(now_ms)

    @property
    def rssi_dbm(self) -> int:
        """The signal's strength; 0 when it is not known."""
        if self._wlan is None or not self._joined.is_set():
            return 0
        try:
            return self._wlan.status("rssi")
        except (OSError, ValueError, TypeError):
            return 0

    async def run(self) -> None:
        """Join for ever."""
        while True:
            if self._wlan is not None:
                is_joined = self._wlan.isconnected()
                has_failed = not is_joined and self._has_failed()
                action = self.state.step(self._ticks.now_ms(), is_joined, has_failed)
                self._do(action)
                if self.state.state == wifi.JOINED:
                    self._joined.set()
                else:
                    self._joined.clear()
            await asyncio.sleep(STEP_S)

    def _has_failed(self) -> bool:
        """Whether the driver gave up: -1 to -3 on the rp2, 200 to 299 on the ESP32 (its STAT_ constants)."""
        status = self._wlan.status()
        return status < 0 or 200 <= status < 300

    def _do(self, action: int) -> None:
        try:
            if action == wifi.CONNECT:
                self._wlan.connect(self._credentials[0], self._credentials[1])
            elif action == wifi.DISCONNECT:
                self._wlan.disconnect()
            elif action == wifi.RESTART_RADIO:
                self._board.restart_radio(self._wlan)
            elif action == wifi.RESTART_BOARD:
                self._restart_board("no hub for hours")
        except OSError:
            pass  # "Wifi Internal Error" and the like; the state machine goes on and tries again
