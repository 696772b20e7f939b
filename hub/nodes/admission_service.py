"""Keeps the registry in memory, as the file has it and as nodes turn up."""

import asyncio
from collections.abc import Mapping

from hub.errors import OperatorNeeded
from hub.nodes.registry import (
    APPROVED,
    PENDING,
    Node,
    Registry,
    RegistryStore,
    Visit,
    is_news,
    refusal_at_hello,
)
from hub.nodes.settings import NodeSettings, WaitingNode
from hub.ports import EventSink
from shared_schema.digest import node_key
from shared_schema.messages import Hello, Refusal, RefusalCode


class Admission:
    """Who may come in. The file is looked at again before each greeting and by the monitor.

    What a node's visit changes counts at once, and is on disk with the next save(); a crash in between costs
    nothing that its next visit does not bring again.
    """

    def __init__(
        self, settings: NodeSettings, site_key: bytes, file: RegistryStore, events: EventSink
    ) -> None:
        self._settings = settings
        self._site_key = site_key
        self._file = file
        self._events = events
        self._registry = Registry()
        self._unsaved: dict[str, Visit] = {}
        self._mark = file.mark()

    @property
    def approved(self) -> Mapping[str, Node]:
        """The nodes that are let in."""
        return self._registry.having(APPROVED)

    def pending(self) -> tuple[WaitingNode, ...]:
        """Return the nodes that wait for a person, the newest first."""
        found = sorted(self._registry.having(PENDING).items(), key=lambda item: -(item[1].seen_at_ms or 0))
        return tuple(
            WaitingNode(key, node.board, node.firmware_version, node.address, node.seen_at_ms)
            for key, node in found
        )

    def is_known(self, device_key: str) -> bool:
        """Whether a node of this name has ever proved itself, or was approved."""
        return device_key in self._registry.nodes

    def wanted(self, device_key: str) -> tuple[int, str]:
        """Return version and document of the configuration a node should have; 0 is none."""
        node = self._registry.nodes.get(device_key)
        return (0, "") if node is None else (node.config_version, node.config)

    def key_of(self, hello: Hello) -> bytes | Refusal:
        """Return the key a node has to prove, or why it is not asked."""
        if hello.device_key in self._settings.taken_keys:
            return Refusal(RefusalCode.UNKNOWN, "another device of this hub has this name")
        refusal = refusal_at_hello(self._registry, hello)
        return refusal or node_key(self._site_key, hello.device_key, hello.generation)

    async def load(self) -> None:
        """Read the file. Raises OperatorNeeded."""
        self._mark = self._file.mark()
        self._registry = _noted(await asyncio.to_thread(self._file.load), self._unsaved)
        self._tell_pending()

    async def refresh(self) -> bool:
        """Read the file if it was changed; return whether it was. One that cannot be read changes nothing."""
        if self._file.mark() == self._mark:
            return False
        try:
            await self.load()
        except OperatorNeeded as error:
            self._events.raise_event("error", "nodes_file", str(error))
            return False
        self._events.clear_event("nodes_file")
        return True

    def welcome(self, hello: Hello, address: str, at_ms: int | None) -> Refusal | None:
        """Take note of a node that has proved its key; return why it is not let in yet, if so."""
        key, before = hello.device_key, self._registry.nodes.get(hello.device_key)
        is_proof_enough = (
            self._settings.is_approved_by_proof and len(self.approved) < self._settings.max_nodes
        )
        visit = Visit(hello, address, at_ms, is_approved_by_proof=is_proof_enough)
        self._registry = visit.noted(self._registry)
        node = self._registry.nodes[key]
        if is_news(before, node):
            self._unsaved[key] = visit
        if node.state == PENDING or (before is not None and before.state == PENDING):
            self._tell_pending()
        if node.state == PENDING:
            return Refusal(RefusalCode.PENDING, "waits for: penstock node approve")
        return None if node.state == APPROVED else Refusal(RefusalCode.REVOKED, "revoked at this site")

    async def save(self) -> None:
        """Write who turned up since; all at once, since after an update of all nodes everybody is news."""
        if not self._unsaved:
            return
        visits, self._unsaved = self._unsaved, {}
        try:
            await asyncio.to_thread(self._file.edit, lambda registry: _noted(registry, visits))
        except OperatorNeeded as error:
            self._unsaved = visits | self._unsaved
            self._events.raise_event("error", "nodes_file", str(error))

    def _tell_pending(self) -> None:
        waiting = list(self._registry.having(PENDING))
        if waiting:
            message = f"{len(waiting)} node(s) wait: penstock node approve {waiting[-1]}"
            self._events.raise_event("warning", "node_pending", message)
        else:
            self._events.clear_event("node_pending")


def _noted(registry: Registry, visits: Mapping[str, Visit]) -> Registry:
    for visit in visits.values():
        registry = visit.noted(registry)
    return registry
