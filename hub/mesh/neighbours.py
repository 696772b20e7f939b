"""Who is nearby: the hubs heard on the network, those of this site, and the nodes they announce.

Everything here was said by anybody: numbers are bounded, texts cleaned, and a mark that is not this site's
makes a stranger. Being a neighbour gives no rights: it makes an address worth trying.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.mesh.announcement import node_and_hub, plain_key, site_mark
from hub.mesh.own_addresses import OwnAddress, nearest
from hub.mesh.settings import MeshSettings
from shared_schema.limits import DEVICE_KEY_LENGTH
from shared_schema.neighbours import HUBS_MOST, ipv4
from shared_schema.text import clean_text

HEARD_MOST = 64  # hubs of all sites on this network
NODES_MOST = 10_000
ADDRESSES_MOST = 8
TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What was announced of a hub."""

    addresses: tuple[str, ...]
    port: int
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another hub of this site. address: the one we can reach, most likely. Ports: 0 where nobody listens."""

    device_key: str
    name: str
    location: str
    version: str
    address: str
    api_port: int
    node_port: int


class Neighbourhood:
    """What was heard, by label. strangers: hubs of other sites. twin: where a second hub of our name is."""

    def __init__(self, settings: MeshSettings) -> None:
        self._settings = settings
        self._own: tuple[OwnAddress, ...] = ()
        self._heard: dict[str, Heard] = {}
        self._nodes: set[str] = set()

    def begin(self, own: tuple[OwnAddress, ...]) -> None:
        """Forget everything: we are on other networks now. own: our addresses there."""
        self._own = own
        self._heard.clear()
        self._nodes.clear()

    def hub(self, label: str, heard: Heard | None) -> None:
        """Note what was announced of a hub; None: it is gone."""
        if heard is None:
            self._heard.pop(label, None)
        elif label in self._heard or len(self._heard) < HEARD_MOST:
            self._heard[label] = heard

    def node(self, label: str, *, is_there: bool) -> None:
        """Note that a node is announced by some hub, or no longer."""
        if not is_there:
            self._nodes.discard(label)
        elif len(self._nodes) < NODES_MOST:
            self._nodes.add(label)

    def hubs(self) -> tuple[Neighbour, ...]:
        """Return the other hubs of this site, in the order of their keys."""
        found = [neighbour_of(heard, self._settings.site_key, self._own) for heard in self._heard.values()]
        ours = self._settings.device_key
        others = {each.device_key: each for each in found if each is not None and each.device_key != ours}
        return tuple(others[key] for key in sorted(others))

    @property
    def strangers(self) -> int:
        """How many hubs of other sites, or without a mark, there are."""
        return sum(_key_of(heard, self._settings.site_key) is None for heard in self._heard.values())

    @property
    def twin(self) -> str | None:
        """The address of another hub that has our device key, and our site's mark."""
        settings = self._settings
        ours = {each.address for each in self._own}
        port = settings.api_port or settings.node_port
        for heard in self._heard.values():
            is_here = heard.port == port and bool(ours & set(heard.addresses))
            if _key_of(heard, settings.site_key) == settings.device_key and not is_here and heard.addresses:
                return clean_text(heard.addresses[0])
        return None

    def nodes_elsewhere(self) -> frozenset[str]:
        """Return the nodes that neighbours announce: device keys with dashes for dots."""
        hubs = {plain_key(each.device_key) for each in self.hubs()}
        pairs = [pair for pair in map(node_and_hub, self._nodes) if pair is not None]
        return frozenset(node for node, hub in pairs if hub in hubs)


def neighbour_of(heard: Heard, site_key: bytes, own: Sequence[OwnAddress]) -> Neighbour | None:
    """Return the hub of this site that was heard; None when it is none."""
    device_key = _key_of(heard, site_key)
    addresses = [each for each in heard.addresses[:ADDRESSES_MOST] if _is_dialable(each)]
    if device_key is None or not addresses:
        return None
    return Neighbour(
        device_key,
        _text(heard, "name"),
        _text(heard, "location"),
        _text(heard, "version"),
        nearest(addresses, own),
        _port(heard, "api_port"),
        _port(heard, "node_port"),
    )


def addresses_for_nodes(hubs: Sequence[Neighbour]) -> list[tuple[str, int]]:
    """Return where nodes may dial instead of here, as many as a node keeps."""
    return [(each.address, each.node_port) for each in hubs if each.node_port][:HUBS_MOST]


def _key_of(heard: Heard, site_key: bytes) -> str | None:
    device_key, mark = heard.texts.get("device_id", ""), heard.texts.get("site", "")
    if not 0 < len(device_key) <= DEVICE_KEY_LENGTH or device_key != clean_text(device_key):
        return None
    wanted = site_mark(site_key, device_key)
    return device_key if hmac.compare_digest(wanted.encode(), mark.encode()) else None


def _is_dialable(address: str) -> bool:
    parts = address.split(".")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and int(part) < 256]
    return len(parts) == len(numbers) == 4 and ipv4(bytes(numbers)) is not None


def _port(heard: Heard, name: str) -> int:
    text = heard.texts.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if is_number and int(text) < 65_536 else 0


def _text(heard: Heard, name: str) -> str:
    return clean_text(heard.texts.get(name, ""))[:TEXT_LENGTH]
