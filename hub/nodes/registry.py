"""Which nodes this hub knows, and whom it talks to.

A node is pending (it proved a key of this site, and waits for a person), approved or revoked.
Rule 1: only who proved a key of this site gets into the registry; nobody can fill it from outside.
Rule 2: a generation older than the one known is refused: whoever flashed a node anew made its old key void.
Rule 3: of the pending, the PENDING_MOST seen last are kept.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Protocol

from shared_schema.limits import DEVICE_KEY_LENGTH
from shared_schema.messages import Hello, Refusal, RefusalCode
from shared_schema.text import clean_text

PENDING = "pending"
APPROVED = "approved"
REVOKED = "revoked"
STATES = (PENDING, APPROVED, REVOKED)
PENDING_MOST = 200
REGISTRY_FILE = "nodes.json"
_FORMAT = 1
_DEVICE_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of a node.

    board, firmware_version, address, seen_at_ms: as it last dialled, seen_at_ms in Unix ms; empty and None
    before it did, or while the hub's clock was unknown. config: a JSON object, wanted from config_version on.
    """

    state: str
    generation: int = 1
    board: str = ""
    firmware_version: str = ""
    address: str = ""
    seen_at_ms: int | None = None
    config_version: int = 0
    config: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """All nodes by device key."""

    nodes: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))

    def having(self, state: str) -> dict[str, Node]:
        """Return the nodes of a state."""
        return {key: node for key, node in self.nodes.items() if node.state == state}

    def with_node(self, device_key: str, node: Node) -> "Registry":
        """Return the registry with one node as given."""
        return Registry({**self.nodes, device_key: node})

    def approved(self, device_key: str, generation: int | None = None) -> "Registry":
        """Return the registry with a node approved, seen or not. generation: None leaves it as it is."""
        return self._with_state(device_key, APPROVED, generation)

    def revoked(self, device_key: str) -> "Registry":
        """Return the registry with a node shut out."""
        return self._with_state(device_key, REVOKED, None)

    def configured(self, device_key: str, document: str) -> "Registry":
        """Return the registry with a new version of a node's configuration. Raises ValueError."""
        node = self.nodes[device_key]
        if not isinstance(json.loads(document), dict):
            raise ValueError("a configuration is a JSON object")  # noqa: TRY004 - of a text, not of a type
        return self.with_node(
            device_key, replace(node, config=document, config_version=node.config_version + 1)
        )

    def _with_state(self, device_key: str, state: str, generation: int | None) -> "Registry":
        if not is_device_key(device_key):
            raise ValueError(f"{device_key!r} is not a device key")
        node = self.nodes.get(device_key, Node(state))
        number = node.generation if generation is None else generation
        return self.with_node(device_key, replace(node, state=state, generation=number))

    def seen(self, device_key: str, node: Node) -> "Registry":
        """Return the registry with a node that dialled; of too many pending ones the oldest are forgotten."""
        waiting = sorted(self.having(PENDING).items(), key=lambda item: item[1].seen_at_ms or 0)
        room = PENDING_MOST - (node.state == PENDING)
        others = [key for key, _ in waiting if key != device_key]
        forgotten = set(others[: max(0, len(others) - room)])
        kept = {key: each for key, each in self.nodes.items() if key not in forgotten}
        return Registry({**kept, device_key: node})


class RegistryStore(Protocol):
    """Where the registry is kept (registry_io.RegistryFile)."""

    def mark(self) -> object:
        """Return what is different after every edit."""
        ...

    def load(self) -> Registry:
        """Return the registry. Raises OperatorNeeded when it cannot be read."""
        ...

    def edit(self, change: Callable[[Registry], Registry]) -> Registry:
        """Replace the registry, on disk when this returns; return the new one. Raises OperatorNeeded."""
        ...


def is_device_key(text: str) -> bool:
    """Whether this can be a device's key."""
    return len(text) <= DEVICE_KEY_LENGTH and _DEVICE_KEY.fullmatch(text) is not None


def refusal_at_hello(registry: Registry, hello: Hello) -> Refusal | None:
    """Return why this node is not even asked for a proof; None when it is."""
    if not is_device_key(hello.device_key):
        return Refusal(RefusalCode.UNKNOWN, "not a device key")
    node = registry.nodes.get(hello.device_key)
    if node is None:
        return None
    if node.state == REVOKED:
        return Refusal(RefusalCode.REVOKED, "revoked at this site")
    if hello.generation < node.generation:
        return Refusal(RefusalCode.REVOKED, f"generation {hello.generation} was replaced")
    return None


@dataclass(frozen=True, slots=True)
class Visit:
    """A node proved its key. at_ms: Unix ms; None while the hub's clock is unknown.

    is_approved_by_proof: whoever holds a key of this site is welcome; else a new node is pending.
    """

    hello: Hello
    address: str
    at_ms: int | None
    is_approved_by_proof: bool

    def noted(self, registry: Registry) -> Registry:
        """Return the registry with what is known now."""
        hello = self.hello
        fresh = APPROVED if self.is_approved_by_proof else PENDING
        node = registry.nodes.get(hello.device_key, Node(fresh))
        seen = replace(
            node,
            state=fresh if node.state == PENDING else node.state,
            generation=max(node.generation, hello.generation),
            board=clean_text(hello.board),
            firmware_version=clean_text(hello.firmware_version),
            address=self.address,
            seen_at_ms=self.at_ms,
        )
        return registry.seen(hello.device_key, seen)


def is_news(before: Node | None, now: Node) -> bool:
    """Whether there is something to write to disk; when and from where it dialled is not."""
    return before is None or replace(before, seen_at_ms=now.seen_at_ms, address=now.address) != now


def encode(registry: Registry) -> bytes:
    """Return the file's content."""
    nodes = {key: asdict(node) for key, node in sorted(registry.nodes.items())}
    return json.dumps({"format": _FORMAT, "nodes": nodes}, indent=1, ensure_ascii=False).encode() + b"\n"


def decode(content: bytes) -> Registry:
    """Return the Registry of a file. Raises ValueError that says what is wrong."""
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError("is not a list of nodes of a version this hub reads")
    nodes = document.get("nodes")
    if not isinstance(nodes, dict):
        raise ValueError("has no table of nodes")  # noqa: TRY004 - of a file, not of a type
    return Registry({key: _node(key, entry) for key, entry in nodes.items()})


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "state": str, "generation": int, "board": str, "firmware_version": str, "address": str,
    "seen_at_ms": (int, type(None)), "config_version": int, "config": str,
}  # fmt: skip


def _node(key: str, entry: Any) -> Node:
    if not is_device_key(key) or not isinstance(entry, dict) or entry.get("state") not in STATES:
        raise ValueError(f"{key!r} is not a node with a state")
    known = {each.name: entry[each.name] for each in fields(Node) if each.name in entry}
    wrong = [name for name, value in known.items() if not isinstance(value, _TYPES[name])]
    if wrong:
        raise ValueError(f"{wrong[0]} of {key} has the wrong type")
    return Node(**known)
