"""What a node has to know before it meets a hub: node.json in the root of its flash."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from shared_schema.limits import DEVICE_KEY_LENGTH

KEY_BYTES = 32
KEY_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a DNS label: it is the node's host name too
_HUB = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:(?P<port>\d{1,5}))?")
_GENERATION_LIMIT = 2**32
_KEYS = ("device_key", "generation", "key", "hubs", "wifi", "plan")


@dataclass(frozen=True)
class NodeFile:
    """Who a node is, how it reaches its hubs, and what it measures.

    key: the node key, 32 bytes, secret. hubs: addresses tried when discovery finds none, "host:port".
    wifi: ssid and password; empty when it is given by other means. plan: as the firmware reads it.
    Raises ValueError when it cannot be.
    """

    device_key: str
    generation: int
    key: bytes = field(repr=False)
    hubs: tuple[str, ...] = ()
    wifi: Mapping[str, str] = field(default_factory=dict, repr=False)
    plan: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_device_key(self.device_key)
        if not 0 <= self.generation < _GENERATION_LIMIT:
            raise ValueError(f"generation {self.generation} is out of range")
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a node key of {len(self.key)} bytes; it has {KEY_BYTES}")
        for address in self.hubs:
            check_hub(address)

    def encode(self) -> bytes:
        """Return it as it lies on the node."""
        said = {name: getattr(self, name) for name in _KEYS} | {"key": self.key.hex()}
        return json.dumps(said, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return what content says. Raises ValueError."""
        said = json.loads(content)
        if not isinstance(said, dict) or not {"device_key", "key"} <= said.keys():
            raise ValueError("device_key and key are missing")
        return cls(
            str(said["device_key"]),
            int(said.get("generation", 0)),
            bytes.fromhex(str(said["key"])),
            tuple(said.get("hubs", ())),
            dict(said.get("wifi", {})),
            dict(said.get("plan", {})),
        )


def check_device_key(text: str) -> str:
    """Return text when it can be a node's name. Raises ValueError."""
    if len(text) > DEVICE_KEY_LENGTH or not KEY_PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is no device key: 1-63 of a-z, 0-9 and - (not at an end)")
    return text


def check_hub(text: str) -> str:
    """Return text when it can be a hub's address. Raises ValueError."""
    match = _HUB.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 1) < 65_536:
        raise ValueError(f"{text!r} is no address of a hub: HOST or HOST:PORT")
    return text
