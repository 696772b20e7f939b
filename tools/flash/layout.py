"""What lies where on a node's flash, what is ours there, and which slot a release goes to. Pure."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware.node import slots
from firmware.node.trial import ResetCause

NODE_FILE = "node.json"
RING = "ring"
START = "main.py"  # the first of ours that MicroPython runs
STRANGERS_START = "main.py.before-penstock"
CRASH_FILE = "crash.txt"  # as firmware/boot.py has it, which type checkers cannot follow
MOUNT = "application"  # no file, but what ran until it was interrupted
OURS = frozenset(
    {"firmware", "shared_schema", "slots", NODE_FILE, RING, START, CRASH_FILE, "config.json", *slots.COPIES}
)
BLOCK_BYTES = 4096
INLINE_BYTES = 512  # a smaller file lies in its folder's own block (littlefs, an eighth of a block)


def foreign(root: Iterable[str]) -> list[str]:
    """Return the names in the root that are not ours; main.py is judged by who wrote it, not here."""
    return sorted(name for name in root if name not in OURS and name != MOUNT and not name.startswith("."))


def choose_slot(copies: Mapping[str, bytes], whole: Iterable[str]) -> str:
    """Return the slot that does not start now. copies: of the record. whole: the slots with a manifest."""
    there = set(whole)
    pointer = _pointer(copies, there)
    slot: str = pointer.previous if pointer.active in there else pointer.active
    return slot


def switched(
    copies: Mapping[str, bytes], whole: Iterable[str], slot: str, version: str, counter: int
) -> tuple[str, bytes]:
    """Return the name and content of the record's copy that makes slot the one that starts, without a trial.

    What a person put there with a cable stays: the hub need not be in reach of the workbench.
    """
    pointer = _pointer(copies, set(whole))
    if pointer.active != slot:
        pointer.exchange()
    pointer.trial_boots_left = 0
    pointer.fast_resets = 0
    pointer.reset_note = ResetCause.UPDATE  # so that the reset which follows is nobody's fault
    pointer.trial_version, pointer.trial_counter = "", 0
    pointer.version, pointer.counter = version, counter
    with TemporaryDirectory() as folder:
        _lay_out(folder, copies, ())
        slots.store(f"{folder}/", pointer)
        for name in slots.COPIES:
            path = Path(folder, name)
            if path.exists() and path.read_bytes() != copies.get(name):
                return name, path.read_bytes()
    raise AssertionError("a stored record is always a new one: its number rises")


def blocks_of(sizes: Iterable[int]) -> int:
    """Return how many blocks of the file system files of these sizes need at least."""
    return sum(math.ceil(size / BLOCK_BYTES) for size in sizes if size > INLINE_BYTES)


def _pointer(copies: Mapping[str, bytes], whole: Iterable[str]) -> slots.Pointer:
    with TemporaryDirectory() as folder:
        _lay_out(folder, copies, whole)
        return slots.load(f"{folder}/")


def _lay_out(folder: str, copies: Mapping[str, bytes], whole: Iterable[str]) -> None:
    """Do on this machine's disk as the board's flash is, so that the node's own code reads and writes it."""
    for name, content in copies.items():
        Path(folder, name).write_bytes(content)
    for slot in whole:
        manifest = Path(slots.folder(f"{folder}/", slot), slots.MANIFEST)
        manifest.parent.mkdir(parents=True)
        manifest.touch()
