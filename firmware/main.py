"""The application: the board it finds itself on, and the node on it. Started by the boot part."""

import asyncio
import gc
import os
import sys

from firmware.node.loop import Node
from firmware.node.passing import forget

RING_SHARE = 3  # of the flash: a third; two slots and LittleFS's own need the rest
RING_MOST_BYTES = 4_194_304
COLLECT_EVERY_BYTES = 32_768  # before the memory is full of holes; a collection takes some 10 ms
_BLOCK_BYTES = 4096


def run(start) -> None:
    """Live until a restart is wanted. start: of boot.py."""
    gc.threshold(COLLECT_EVERY_BYTES)
    board = _board()
    node = Node(start, board, ring_bytes(start.root), lambda: _search(board))
    board.set_host_name(node.identity.device_key)
    asyncio.run(node.run())


async def _search(board):
    from firmware.node.discover import search  # noqa: PLC0415 - see passing.py

    try:
        return await search(board.search_socket)
    finally:
        forget("firmware.node.discover")


def ring_bytes(root: str) -> int:
    """Return how much of the flash the ring may use."""
    found = os.statvfs(root)
    share = found[1] * found[2] // RING_SHARE
    return min(RING_MOST_BYTES, share // _BLOCK_BYTES * _BLOCK_BYTES)


def _board():
    name = {"linux": "pc"}.get(sys.platform, sys.platform)
    return __import__("firmware.board." + name, None, None, ("*",)).Board()
