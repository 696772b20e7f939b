"""What a hub decides about its nodes."""

from dataclasses import dataclass

from hub.nodes.rollout import RolloutState


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where nodes dial, and which are taken.

    port: 0 lets the system choose. is_approved_by_proof: a key of this site is enough, nobody has to say so.
    max_nodes: connected at a time, and approved by proof alone. taken_keys: of this hub's other devices.
    """

    hub_key: str
    listen: str = "0.0.0.0"
    port: int = 8266
    is_approved_by_proof: bool = True
    max_nodes: int = 1000
    taken_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NodeState:
    """One connected node, as people are shown it. rows: of this session.

    rssi_dbm, ring_rows, ring_percent: what the node said last of its radio, of the rows that wait on it, and
    of how full its memory is with them; None before. config_version: of the configuration it runs on, 0: the
    one it was flashed with. refused_config_version, refusal: of the last one it would not take, and why.
    """

    device_key: str
    address: str
    board: str
    firmware_version: str
    connected_s: float
    rows: int
    stored_seq: int
    rssi_dbm: int | None
    ring_rows: int | None
    ring_percent: float | None
    config_version: int
    refused_config_version: int
    refusal: str


@dataclass(frozen=True, slots=True)
class WaitingNode:
    """A node that waits for a person's word. seen_at_ms: Unix ms of its last visit; None: not known."""

    device_key: str
    board: str
    firmware_version: str
    address: str
    seen_at_ms: int | None


@dataclass(frozen=True, slots=True)
class NodesState:
    """How the node link stands. refused: connections that did not become a session, since the start.

    update: the roll-out there is, or was last.
    """

    port: int
    approved: int
    connected: tuple[NodeState, ...]
    pending: tuple[WaitingNode, ...]
    refused: int
    update: RolloutState | None
