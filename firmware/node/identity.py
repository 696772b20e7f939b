"""Who this node is and whom it may talk to: what was put on its flash when it was set up.

node.json: {"device_key": "tank-3", "generation": 1, "key": "<64 hexadecimal digits>",
            "wifi": {"ssid": "...", "password": "..."}, "hubs": ["192.168.1.10:8266"], "plan": {...}}

hubs: tried when no hub is found nearby. Those whose host is a name are passed over: resolving one can block a
board for ever. plan: the configuration until a hub gives another, as config.py reads it.
"""

import json
from binascii import unhexlify

from firmware.node.files import read_json

NAME = "node.json"
KEY_BYTES = 32
PORT = 8266


class Identity:
    """What node.json says. wifi: (ssid, password), or None. hubs: (host, port). plan: a JSON document."""

    def __init__(self, device_key: str, generation: int, key: bytes, wifi, hubs, plan: str) -> None:
        self.device_key = device_key
        self.generation = generation
        self.key = key
        self.wifi = wifi
        self.hubs = hubs
        self.plan = plan


def load(root: str) -> Identity:
    """Return the identity on flash. Raises ValueError saying what is wrong with it."""
    found = read_json(root + NAME)
    if found is None:
        raise ValueError("%s%s: is missing or no JSON object; flash the node again" % (root, NAME))
    try:
        wifi = found.get("wifi")
        identity = Identity(
            found["device_key"],
            found.get("generation", 0),
            unhexlify(found["key"]),
            (wifi["ssid"], wifi.get("password", "")) if wifi else None,
            [hub for hub in [numeric_address(text) for text in found.get("hubs", ())] if hub],
            json.dumps(found.get("plan") or {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("%s%s: %r; flash the node again" % (root, NAME, error)) from None
    if len(identity.key) != KEY_BYTES:
        raise ValueError("%s%s: the key has not %d bytes" % (root, NAME, KEY_BYTES))
    return identity


def numeric_address(text: str):
    """Return (host, port) of "192.168.1.10" or "192.168.1.10:8266"; None when the host is a name."""
    host, _, port = text.partition(":")
    parts = host.split(".")
    is_numeric = len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
    return (host, int(port) if port else PORT) if is_numeric else None
