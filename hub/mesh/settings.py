"""What a hub says of itself to its neighbourhood."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """site_key: tells the hubs of this site from others. interface: a name or an address; None: every LAN.

    api_port, node_port: where dashboards and nodes dial; 0 where nobody listens.
    return_after_s: how long a node's own hub has to be there before the node goes back to it.
    """

    device_key: str
    site_key: bytes
    name: str = ""
    location: str = ""
    version: str = ""
    interface: str | None = None
    api_port: int = 0
    node_port: int = 0
    return_after_s: int = 120
