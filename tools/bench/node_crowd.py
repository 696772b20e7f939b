"""Many nodes in one process of CPython: the firmware's own loop, ring, session and back-off.

Stand-ins for the hardware only. For what many nodes do to a hub; what one costs is measured in MicroPython.
"""

import asyncio
import contextvars
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.node.loop import Node
from firmware.node.trial import ResetCause
from shared_schema.digest import node_key

_RING_BYTES = 262_144
_GENERATION = 1
_KIND = "deep"

_own_address: contextvars.ContextVar[str] = contextvars.ContextVar("own_address")


class _Start:
    """What the boot part would say. root: the node's folder."""

    cause = ResetCause.POWER
    is_trial = is_safe_mode = False

    def __init__(self, root: str) -> None:
        self.root = root

    def feed(self) -> None:
        """Nothing bites."""


class _Adc:
    """A current loop at 12 mA over 150 ohm."""

    def read_uv(self) -> int:
        """Return the voltage."""
        return 1_800_000


class _Board:
    """A board of which only the converter is used; its network is this machine's."""

    name = "pc"

    def ticks_ms(self) -> int:
        """Return a counter of milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def wlan(self) -> None:
        """There is no radio."""

    def battery_mv(self) -> int:
        """There is no battery."""
        return 0

    def adc(self, _pin: int) -> _Adc:
        """Return the converter."""
        return _Adc()


class CrowdNode(Node):  # type: ignore[misc]  # the firmware's types are MicroPython's
    """A node that tells when it dials and when the hub has stored something new."""

    dialled: Callable[[], None]
    has_stored: Callable[[], None]

    def stored(self, stored_seq: int, now_ms: int) -> None:
        """Tell of what is new."""
        is_news = stored_seq > self.ring.acked
        super().stored(stored_seq, now_ms)
        if is_news:
            self.has_stored()

    def log(self, text: str) -> None:
        """Nobody sits at the serial line."""


def make_node(folder: Path, number: int, site_key: bytes, port: int) -> CrowdNode:
    """Return a node that samples once a second."""
    device_key = f"node-{number:03}"
    root = folder / device_key
    root.mkdir(parents=True)
    sensor = {
        "driver": "current_loop",
        "adc": 28,
        "shunt_milliohm": 150_000,
        "low": 0,
        "high": 10_000,
        "metric": 21,
    }
    said: dict[str, Any] = {
        "device_key": device_key,
        "generation": _GENERATION,
        "key": node_key(site_key, device_key, _GENERATION).hex(),
        "hubs": [f"127.0.0.1:{port}"],
        "plan": {"kinds": {_KIND: {"interval_s": 1, "sensors": [sensor]}}, "flush_s": 1},
    }
    (root / "node.json").write_text(json.dumps(said), encoding="utf-8")
    return CrowdNode(_Start(f"{root}/"), _Board(), _RING_BYTES)


async def live(node: CrowdNode, number: int) -> None:
    """Run a node that dials from an address of its own."""
    _own_address.set(f"127.0.{1 + number // 250}.{1 + number % 250}")
    await node.run()


def give_addresses(dialled: Callable[[], None]) -> None:
    """Have every node dial from its own address, and tell when one does."""
    plain = asyncio.open_connection

    async def open_connection(host: str, port: int) -> Any:
        dialled()
        return await plain(host, port, local_addr=(_own_address.get(), 0))

    asyncio.open_connection = open_connection  # type: ignore[assignment]  # the firmware looks it up each time
