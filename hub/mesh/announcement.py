"""What is announced: this hub, and each connected node beside it, as DNS-SD services.

Rule 1: hubs and nodes are of different types. A node's question for hubs is answered in one packet, however
    many nodes a site has.
Rule 2: the site mark tells the hubs of one site from those of another on the same network. It proves nothing:
    whoever listens can repeat it. Nodes and hubs prove themselves when they talk.
Rule 3: a node is announced by its hub, at the hub's address: it answers nobody itself.
Source: RFC 6763 (4.1.1, 6, 7.2).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.mesh.settings import MeshSettings
from shared_schema.packing import cut_utf8

HUB_TYPE = "_iot-monitor._tcp.local."
NODE_TYPE = "_iot-node._tcp.local."
LABEL_BYTES = 63
TEXT_BYTES = 200  # a string of a TXT record has 255, with its key
_AT = " at "


@dataclass(frozen=True, slots=True)
class Service:
    """One announcement. label: the instance's name. host: of the machine it is on."""

    type: str
    label: str
    host: str
    addresses: tuple[str, ...]
    port: int
    texts: Mapping[str, str] = field(default_factory=dict)


def hub_service(settings: MeshSettings, addresses: tuple[str, ...]) -> Service:
    """Return the announcement of this hub."""
    texts = {
        "device_id": settings.device_key,
        "name": _short(settings.name or settings.device_key),
        "location": _short(settings.location),
        "api_port": str(settings.api_port),
        "node_port": str(settings.node_port),
        "role": "hub",
        "version": settings.version,
        "site": site_mark(settings.site_key, settings.device_key),
    }
    port = settings.api_port or settings.node_port
    return Service(HUB_TYPE, plain_key(settings.device_key), host_of(settings), addresses, port, texts)


def node_service(settings: MeshSettings, hub: Service, device_key: str, address: str) -> Service:
    """Return the announcement of a node at this hub."""
    texts = {
        "device_id": device_key,
        "role": "node",
        "hub": settings.device_key,
        "address": address,
        "api_port": str(settings.api_port),
        "location": _short(settings.location),
    }
    label = node_label(device_key, settings.device_key)
    return Service(NODE_TYPE, label, hub.host, hub.addresses, hub.port, texts)


def site_mark(site_key: bytes, device_key: str) -> str:
    """Return what a hub of this key's site puts beside its device key."""
    return hmac.new(site_key, b"mesh:" + device_key.encode(), hashlib.sha256).hexdigest()[:16]


def host_of(settings: MeshSettings) -> str:
    """Return a host's name of our own: the machine's name is announced by the machine, if at all."""
    return f"penstock-{hashlib.sha256(settings.device_key.encode()).hexdigest()[:8]}.local."


def node_label(device_key: str, hub_key: str) -> str:
    """Return the name under which a hub announces a node; two hubs never use the same.

    A node that moves is announced by both for a moment, and the goodbye of one does not end the other's.
    """
    label = f"{plain_key(device_key)}{_AT}{plain_key(hub_key)}"
    if len(label) <= LABEL_BYTES:
        return label
    return f"{label[:54]}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def node_and_hub(label: str) -> tuple[str, str] | None:
    """Return the two of a node's label; None when it was too long to keep them. Dots have become dashes."""
    node, at, hub = label.partition(_AT)
    return (node, hub) if at and len(label) < LABEL_BYTES else None


def plain_key(device_key: str) -> str:
    """Return a device key as labels have it: without dots, which separate labels."""
    return device_key.replace(".", "-")


def _short(text: str) -> str:
    return cut_utf8(text, TEXT_BYTES).decode()
