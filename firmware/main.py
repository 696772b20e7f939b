"""The application: the board it finds itself on, and the node on it. Started by the boot part."""

import asyncio
import gc
import os
import sys

RING_SHARE = 3  # of the flash: a third; two slots and LittleFS's own need the rest
RING_MOST_BYTES = 4_194_304
COLLECT_EVERY_BYTES = 32_768  # before the memory is full of holes; a collection takes some 10 ms
_BLOCK_BYTES = 4096

# Imported one at a time, each before those that need it. Nested imports leave holes that the next module does
# not fit: the same code then wants twice the memory.
_MODULES = (
    "asyncio.core", "asyncio.stream", "asyncio.event", "asyncio.funcs",
    "shared_schema.metrics", "shared_schema.packing", "shared_schema.columns", "shared_schema.batches",
    "shared_schema.digest", "shared_schema.frames", "shared_schema.greeting", "shared_schema.link",
    "shared_schema.reports", "shared_schema.neighbours", "shared_schema.update_messages",
    "shared_schema.messages",
    "firmware.node.block", "firmware.node.segment", "firmware.node.journal", "firmware.node.clocks",
    "firmware.node.contents", "firmware.node.room", "firmware.node.ring",
    "firmware.node.slots", "firmware.node.trial", "firmware.node.updating",
    "firmware.node.config", "firmware.node.configuration", "firmware.node.commands", "firmware.node.acts",
    "firmware.node.sensors", "firmware.node.sampling", "firmware.node.network",
    "firmware.node.conversation", "firmware.node.addresses", "firmware.node.uplink", "firmware.node.loop",
    "firmware.node.discover",
)  # fmt: skip


def run(start) -> None:
    """Live until a restart is wanted. start: of boot.py."""
    for name in _MODULES:
        __import__(name)
        gc.collect()
    gc.threshold(COLLECT_EVERY_BYTES)
    from firmware.node.discover import search  # noqa: PLC0415
    from firmware.node.loop import Node  # noqa: PLC0415 - after those that it needs

    board = _board()
    node = Node(start, board, ring_bytes(start.root), lambda: search(board.search_socket))
    board.set_host_name(node.identity.device_key)
    asyncio.run(node.run())


def ring_bytes(root: str) -> int:
    """Return how much of the flash the ring may use."""
    found = os.statvfs(root)
    share = found[1] * found[2] // RING_SHARE
    return min(RING_MOST_BYTES, share // _BLOCK_BYTES * _BLOCK_BYTES)


def _board():
    name = {"linux": "pc"}.get(sys.platform, sys.platform)
    return __import__("firmware.board." + name, None, None, ("*",)).Board()
