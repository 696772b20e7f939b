"""Which nodes this hub announces: those connected, and for a while those that were.

Rule: what changes on the air is slow and bounded, since each change is heard by everything on the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NODES_MOST = 250  # 250 announcements are about 40 kB whenever somebody browses for nodes
KEPT_S = 30.0  # a node that dials again within this never went away
CHANGES_MOST = 4  # for each look


@dataclass(slots=True)
class Published:
    """Nodes on the air, with their addresses, and since when (monotonic) some of them are not connected."""

    nodes: dict[str, str] = field(default_factory=dict)
    left_s: dict[str, float] = field(default_factory=dict)

    def changes(self, connected: Mapping[str, str], now_s: float) -> tuple[list[str], list[str]]:
        """Return which nodes to announce (again), and which to withdraw, the next few of each."""
        for key in self.nodes:
            if key in connected:
                self.left_s.pop(key, None)
            else:
                self.left_s.setdefault(key, now_s)
        old = [key for key, left_s in self.left_s.items() if now_s - left_s >= KEPT_S]
        new = [key for key in connected if key not in self.nodes][: max(0, NODES_MOST - len(self.nodes))]
        moved = [key for key, address in self.nodes.items() if connected.get(key, address) != address]
        return (moved + new)[:CHANGES_MOST], old[:CHANGES_MOST]

    def announced(self, key: str, address: str) -> None:
        """Note that a node is on the air."""
        self.nodes[key] = address

    def withdrawn(self, key: str) -> None:
        """Note that it is not any more."""
        self.nodes.pop(key, None)
        self.left_s.pop(key, None)
