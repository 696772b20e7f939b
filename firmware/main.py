"""The application: the board it finds itself on, and the node on it. Started by the boot part."""

import asyncio
import os
import sys

RING_SHARE = 3  # of the flash: a third; two slots and LittleFS's own need the rest
RING_MOST_BYTES = 4_194_304
_BLOCK_BYTES = 4096


def run(start) -> None:
    """Live until a restart is wanted. start: of boot.py."""
    from firmware.node.loop import Node  # noqa: PLC0415 - the largest modules first, into one piece of memory

    board = _board()
    node = Node(start, board, ring_bytes(start.root))
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
