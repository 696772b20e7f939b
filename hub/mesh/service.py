"""Keeps this hub on the air: announces it and its nodes, hears its neighbours, and tells the nodes of them.

The air is a convenience. Without multicast, with names taken, when networks come and go: the hub works on,
says so once, and tries again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.errors import TryAgain
from hub.mesh.announcement import NODE_TYPE, Service, hub_service, node_service
from hub.mesh.neighbours import Heard, Neighbour, Neighbourhood, addresses_for_nodes
from hub.mesh.own_addresses import OwnAddress, usable
from hub.mesh.published import Published
from hub.mesh.settings import MeshSettings
from hub.ports import Clock, EventSink, NodeLink

log = logging.getLogger("penstock.mesh")

LOOK_S = 2.0
RETRY_S = 30.0

OnHub = Callable[[str, Heard | None], None]
OnNode = Callable[[str, bool], None]


class Air(Protocol):
    """The way to everybody on the networks (zeroconf_io.ZeroconfAir)."""

    async def open(self, addresses: Sequence[str], on_hub: OnHub, on_node: OnNode) -> None:
        """Listen and speak at these addresses of ours. Raises TryAgain."""
        ...

    async def announce(self, service: Service) -> None:
        """Announce, in place of what had the same label. Raises TryAgain."""
        ...

    async def withdraw(self, type_name: str, label: str) -> None:
        """Say that it is gone. Raises TryAgain."""
        ...

    async def close(self) -> None:
        """Withdraw everything, and be silent. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class MeshState:
    """How the neighbourhood stands. addresses: where this hub is announced; none while it is not."""

    addresses: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]
    strangers: int
    nodes_announced: int


class MeshService:
    """Runs until cancelled. nodes: None where no nodes dial."""

    def __init__(
        self,
        settings: MeshSettings,
        air: Air,
        own_addresses: Callable[[], Sequence[OwnAddress]],
        nodes: NodeLink | None,
        *,
        clock: Clock,
        events: EventSink,
    ) -> None:
        self._settings = settings
        self._air = air
        self._own_addresses = own_addresses
        self._nodes = nodes
        self._clock = clock
        self._events = events
        self._neighbourhood = Neighbourhood(settings)
        self._published = Published()
        self._neighbours: tuple[Neighbour, ...] = ()
        self._addresses: tuple[str, ...] = ()
        self._news = asyncio.Event()

    def state(self) -> MeshState:
        """Return how the neighbourhood stands."""
        return MeshState(
            self._addresses, self._neighbours, self._neighbourhood.strangers, len(self._published.nodes)
        )

    async def run(self) -> None:
        """Be on the air until cancelled."""
        try:
            while True:
                try:
                    await self._until_networks_change()
                except TryAgain as error:
                    self._unavailable(str(error))
                    await asyncio.sleep(RETRY_S)
                await self._leave()
        finally:
            await self._leave()

    async def _until_networks_change(self) -> None:
        own = self._usable()
        if not own:
            where = self._settings.interface or "any network"
            self._unavailable(f"this machine has no IPv4 address on {where}")
            await self._while_same(own, self._nothing)
            return
        addresses = tuple(each.address for each in own)
        self._neighbourhood.begin(own)
        await self._air.open(addresses, self._on_hub, self._on_node)
        service = hub_service(self._settings, addresses)
        await self._air.announce(service)
        self._addresses = addresses
        self._events.clear_event("mesh_unavailable")
        log.info("announced as %s at %s", service.label, ", ".join(addresses))
        await self._while_same(own, lambda: self._look(service))

    async def _while_same(self, own: tuple[OwnAddress, ...], look: Callable[[], Awaitable[None]]) -> None:
        while self._usable() == own:
            await look()
            self._news.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                pass
        log.info("the networks of this machine have changed")

    async def _nothing(self) -> None:
        """Look at nothing: there is no network."""

    async def _look(self, service: Service) -> None:
        self._meet_neighbours()
        if self._nodes is None:
            return
        self._nodes.note_elsewhere(self._neighbourhood.nodes_elsewhere())
        connected = self._nodes.connected_addresses()
        to_announce, to_withdraw = self._published.changes(connected, self._clock.monotonic_s())
        for key in to_withdraw:
            gone = node_service(self._settings, service, key, "")
            await self._air.withdraw(NODE_TYPE, gone.label)
            self._published.withdrawn(key)
        for key in to_announce:
            await self._air.announce(node_service(self._settings, service, key, connected[key]))
            self._published.announced(key, connected[key])

    def _meet_neighbours(self) -> None:
        neighbours = self._neighbourhood.hubs()
        twin = self._neighbourhood.twin
        if twin is not None:
            key = self._settings.device_key
            message = f"{twin} is a hub called {key} as well; their rows mix: give one of them another key"
            self._events.raise_event("error", "mesh_twin", message)
        else:
            self._events.clear_event("mesh_twin")
        if neighbours != self._neighbours:
            self._neighbours = neighbours
            log.info("neighbours: %s", ", ".join(each.device_key for each in neighbours) or "none")
            if self._nodes is not None:
                self._nodes.tell_hubs(addresses_for_nodes(neighbours), self._settings.return_after_s)

    async def _leave(self) -> None:
        self._addresses = ()
        self._published = Published()
        await self._air.close()

    def _on_hub(self, label: str, heard: Heard | None) -> None:
        self._neighbourhood.hub(label, heard)
        self._news.set()

    def _on_node(self, label: str, is_there: bool) -> None:
        self._neighbourhood.node(label, is_there=is_there)

    def _usable(self) -> tuple[OwnAddress, ...]:
        return usable(self._own_addresses(), self._settings.interface)

    def _unavailable(self, why: str) -> None:
        message = f"nodes and other hubs cannot find this hub by themselves: {why}; see mesh.interface"
        self._events.raise_event("warning", "mesh_unavailable", message)
