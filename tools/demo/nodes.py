"""The demo's nodes: real firmware on simulated boards, and what they say at the end."""

import asyncio
import json
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hub.nodes.keys import SITE_KEY_FILE
from hub.nodes.registry import Registry
from hub.nodes.registry_io import RegistryFile
from hub.nodes.site_key_io import ensure_site_key
from hub.outbox.directory import Directory
from tools.demo.processes import HubProcess
from tools.demo.site import NODE_KEYS
from tools.demo.tally import NodeCount
from tools.sim_nodes.group import SimulatedNodes

STILL = json.dumps({"kinds": {}, "flush_s": 1})  # the configuration of a node that measures nothing any more
QUIET_S = 4.0  # so long without a new row, and everything has arrived
QUIET_MOST_S = 45.0
STEP_S = 0.5


def free_port() -> int:
    """Return a TCP port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def share_site_key(*hub_folders: Path) -> bytes:
    """Give hubs the same key, made for the first of them; return it."""
    first, *others = hub_folders
    for folder in hub_folders:
        folder.mkdir(parents=True, exist_ok=True)
    key = ensure_site_key(first)
    for folder in others:
        shutil.copy(first / SITE_KEY_FILE, folder)
    return key


def nodes_of(folder: Path, site_key: bytes, ports: Sequence[int]) -> SimulatedNodes:
    """Return the nodes, not yet made; what they say goes to nodes.log. ports: of the hubs they know."""
    log = folder / "nodes.log"

    def say(device_key: str, line: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{device_key} {line}\n")

    hubs = [f"127.0.0.1:{port}" for port in ports]
    return SimulatedNodes(NODE_KEYS, folder / "nodes", site_key, hubs, say)


async def fall_silent(nodes: SimulatedNodes, hub: HubProcess) -> None:
    """Have all nodes stop measuring, by their configuration, and wait until they sent what they have."""
    registry = RegistryFile(hub.data_dir)
    for key in nodes.nodes:
        await asyncio.to_thread(registry.edit, partial(Registry.configured, device_key=key, document=STILL))
    give_up_s = time.monotonic() + QUIET_MOST_S
    before: dict[str, int] = {}
    since_s = time.monotonic()
    while time.monotonic() < give_up_s and time.monotonic() - since_s < QUIET_S:
        stored = _stored(await hub.status())
        if stored != before or len(stored) < len(nodes.nodes):
            before, since_s = stored, time.monotonic()
        await asyncio.sleep(STEP_S)


async def count_rows(nodes: SimulatedNodes, directories: Sequence[Directory]) -> NodeCount:
    """Return what the nodes have numbered, and how much of it no hub has stored.

    Without power only. directories: of the hubs' outboxes, the first hub's first.
    """
    numbered = missing = moved = 0
    for key, node in nodes.nodes.items():
        epoch, count, _ = await node.numbers()
        numbered += count
        missing += max(0, count - max(directory.last_seq(key, epoch) for directory in directories))
        moved += any(directory.last_seq(key, epoch) for directory in directories[1:])
    return NodeCount(len(nodes.nodes), numbered, missing, moved)


def _stored(status: Mapping[str, Any] | None) -> dict[str, int]:
    if status is None or status["nodes"] is None:
        return {}
    return {node["device_key"]: node["stored_seq"] for node in status["nodes"]["connected"]}
