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
    is_news,
    node_seen,
    refusal_at_hello,
)
from hub.nodes.settings import NodeSettings, WaitingNode
from hub.ports import EventSink
from shared_schema.digest import node_key
from shared_schema.messages import Hello, Refusal, RefusalCode


class Admission:
    """Who may come in. The file is looked at again before each greeting and by the monitor."""

    def __init__(
        self, settings: NodeSettings, site_key: bytes, file: RegistryStore, events: EventSink
    ) -> None:
        self._settings = settings
        self._site_key = site_key
        self._file = file
        self._events = events
        self._registry = Registry()
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
        self._registry = await asyncio.to_thread(self._file.load)
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

    async def welcome(self, hello: Hello, address: str, at_ms: int | None) -> Refusal | None:
        """Take note of a node that has proved its key; return why it is not let in yet, if so."""
        key, before = hello.device_key, self._registry.nodes.get(hello.device_key)
        is_proof_enough = (
            self._settings.is_approved_by_proof and len(self.approved) < self._settings.max_nodes
        )
        node = node_seen(self._registry, hello, address, at_ms, is_approved_by_proof=is_proof_enough)
        if not is_news(before, node):
            self._registry = self._registry.seen(key, node)
        else:
            await self._write(hello, address, at_ms, is_proof_enough=is_proof_enough)
        node = self._registry.nodes.get(key, node)
        self._tell_pending()
        if node.state == PENDING:
            return Refusal(RefusalCode.PENDING, "waits for: penstock node approve")
        return None if node.state == APPROVED else Refusal(RefusalCode.REVOKED, "revoked at this site")

    async def _write(self, hello: Hello, address: str, at_ms: int | None, *, is_proof_enough: bool) -> None:
        def change(registry: Registry) -> Registry:
            # From the file's own state: it may have been edited since it was read.
            node = node_seen(registry, hello, address, at_ms, is_approved_by_proof=is_proof_enough)
            return registry.seen(hello.device_key, node)

        try:
            self._registry = await asyncio.to_thread(self._file.edit, change)
        except OperatorNeeded as error:
            self._events.raise_event("error", "nodes_file", str(error))
            self._registry = change(self._registry)

    def _tell_pending(self) -> None:
        waiting = list(self._registry.having(PENDING))
        if waiting:
            message = f"{len(waiting)} node(s) wait: penstock node approve {waiting[-1]}"
            self._events.raise_event("warning", "node_pending", message)
        else:
            self._events.clear_event("node_pending")
