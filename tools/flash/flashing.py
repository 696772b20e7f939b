"""The steps that make a board a node, in an order in which the cable may be pulled at any moment.

1. The slot that does not start is emptied, filled and compared with what was meant; its manifest comes last.
2. What starts a slot is put in place, file by file, each whole before it gets its name.
3. The identity, the same way.
4. One write of the record of slots makes the new slot the one that starts.
Until 4 a board starts what it started before; after 4 it starts the new application.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, Protocol

from firmware.node import slots
from hub.errors import OperatorNeeded, PenstockError, TryAgain
from tools.flash import layout
from tools.flash.image import File, Image
from tools.flash.node_file import NodeFile
from tools.flash.survey import Readable, Survey, look_at

Tell = Callable[[str, int, int], None]  # what is done now, how far it is, and of how much

_FREE_BLOCKS = "(lambda s:(s[3],s[0]))(__import__('os').statvfs('/'))"
_REMOVE = """
import os
def r(p):
 try:
  if os.stat(p)[0]&0x4000:
   for n in os.listdir(p):r(p+'/'+n)
   os.rmdir(p)
  else:os.remove(p)
 except OSError as e:
  if e.errno!=2:raise
"""
_MAKE = (
    "import os\nfor p in {folders!r}:\n try:\n  os.mkdir(p)\n except OSError as e:\n  if e.errno!=17:raise"
)
_ERASE_S = 60.0
_RESTARTS = 3


class Board(Readable, Protocol):
    """A board at its prompt (mpremote_io.Board)."""

    def run(self, code: str, timeout_s: float = ...) -> str:
        """Run code."""

    def write(self, path: str, content: bytes, told: Callable[[int], None] = ...) -> None:
        """Write a file."""

    def sha256(self, path: str) -> bytes:
        """Return the SHA-256 of a file."""

    def reset(self) -> None:
        """Start the board anew."""

    def restart_to_prompt(self) -> None:
        """Start the board anew without its application."""


class Order(NamedTuple):
    """What one board shall get. node: None keeps the identity it has. is_wiped: ours is removed first."""

    image: Image
    node: NodeFile | None
    is_wiped: bool = False


class Flashed(NamedTuple):
    """What became of a board. kept: of an earlier flash. moved: a stranger's main.py, by its new name."""

    device_key: str
    version: str
    slot: str
    kept: tuple[str, ...]
    foreign: tuple[str, ...]
    moved: str


def flash(board: Board, found: Survey, order: Order, tell: Tell) -> Flashed:
    """Make a board a node and start it. Raises PenstockError; then it starts what it started before."""
    node = _identity(found, order)
    tell("preparing", 0, 1)
    if found.has_penstock:
        _stop_for_good(board)
    if order.is_wiped:
        _remove(board, _ours(found))
        found = look_at(board, order.image.start)
    slot = layout.choose_slot(found.copies, found.whole)
    _fill_slot(board, slot, order.image, tell)
    moved = _put_outside(board, found, order, node, tell)
    name, content = layout.switched(
        found.copies, {*found.whole, slot}, slot, order.image.version, order.image.counter
    )
    tell("switching", 0, 1)
    board.write(f"/{name}", content)
    board.reset()
    kept = tuple(name for name in found.kept if name != layout.NODE_FILE or order.node is None)
    return Flashed(node.device_key, order.image.version, slot, kept, found.foreign, moved)


def _stop_for_good(board: Board) -> None:
    """Leave the board at its prompt with no watchdog armed: it would end the work after eight seconds.

    Raises TryAgain when the application is always faster.
    """
    for _ in range(_RESTARTS):
        board.restart_to_prompt()
        # The watchdog of what was interrupted before may bite now; then all is begun anew.
        with suppress(TryAgain):
            if not board.value("'firmware.main' in __import__('sys').modules"):
                return
    what = "its application starts before it can be stopped"
    raise TryAgain(what, where=board.port, hint="hold its reset button, run the command, and let go")


def _identity(found: Survey, order: Order) -> NodeFile:
    node = order.node or found.node
    if node is None or (order.is_wiped and order.node is None):
        what = "it would have no identity" if order.is_wiped else "it has no identity yet"
        raise OperatorNeeded(what, where=found.port, hint="name the node: penstock node flash KEY --site …")
    if found.node and not order.is_wiped and found.node.device_key != node.device_key:
        raise OperatorNeeded(
            f"it is {found.node.device_key} already, and may hold readings of it",
            where=found.port,
            hint=f"--wipe makes it {node.device_key} and forgets them",
        )
    return node


def _ours(found: Survey) -> list[str]:
    names = layout.OURS - ({layout.START} if found.is_start_foreign and not found.has_penstock else set())
    return [f"/{name}" for name in sorted(names)]


def _fill_slot(board: Board, slot: str, image: Image, tell: Tell) -> None:
    folder = slots.folder("/", slot)
    _remove(board, [folder + slots.MANIFEST, folder[:-1]])
    _require_room(board, [file.content for file in (*image.slot_files, *image.root_files)])
    try:
        _upload(board, [File(folder + file.path, file.content) for file in image.slot_files], tell)
        _put(board, File(folder + slots.MANIFEST, image.manifest))
    except OperatorNeeded:
        _remove(board, [folder[:-1]])  # full: leave the readings the room they had
        raise


def _require_room(board: Board, contents: Iterable[bytes]) -> None:
    free, block_bytes = _pair(board.value(_FREE_BLOCKS))
    needed = layout.blocks_of(len(content) for content in contents)
    if needed > free:
        what = f"{needed * block_bytes // 1024} kB are needed, {free * block_bytes // 1024} kB are free"
        hint = "remove files of yours; --wipe also forgets readings that were not sent"
        raise OperatorNeeded(f"the board's flash is too full: {what}", where=board.port, hint=hint)


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple) and len(value) == 2:
        return int(value[0]), int(value[1])
    raise PenstockError(f"the board answers {value!r}", hint="reset it and try again")


def _upload(board: Board, files: list[File], tell: Tell) -> None:
    total = sum(len(file.content) for file in files)
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        tell("uploading", done, total)

    _make_folders(board, files)
    for file in files:
        board.write(file.path, file.content, told)
    for place, file in enumerate(files):
        tell("verifying", place, len(files))
        _verify(board, file)


def _verify(board: Board, file: File) -> None:
    if board.sha256(file.path) != file.digest:
        hint = "repeat; when it happens again the flash is worn out, or the cable is bad"
        raise PenstockError(f"{file.path} is not what was sent", where=board.port, hint=hint)


def _put_outside(board: Board, found: Survey, order: Order, node: NodeFile, tell: Tell) -> str:
    """Put in place what lies outside the slots; return the new name of a stranger's main.py."""
    moved = ""
    *parts, start = order.image.root_files
    _make_folders(board, [File(f"/{part.path}", part.content) for part in parts])
    for place, part in enumerate(parts):
        tell("starting part", place, len(parts))
        _put(board, File(f"/{part.path}", part.content))
    if order.node is not None:
        _put(board, File(f"/{layout.NODE_FILE}", node.encode()))
    if found.is_start_foreign and not found.has_penstock:
        moved = _move_aside(board)
    _put(board, File(f"/{start.path}", start.content))
    return moved


def _put(board: Board, file: File) -> None:
    """Give a file its name only when all of it is on flash; do nothing when it is there."""
    if board.read(file.path) == file.content:
        return
    new = f"{file.path}.new"
    board.write(new, file.content)
    _verify(board, File(new, file.content))
    board.run(f"import os\nos.rename({new!r},{file.path!r})", _ERASE_S)


def _move_aside(board: Board) -> str:
    aside = layout.STRANGERS_START
    there = board.value("__import__('os').listdir('/')")
    while isinstance(there, list) and aside in there:
        aside += "~"
    board.run(f"import os\nos.rename('/{layout.START}','/{aside}')", _ERASE_S)
    return aside


def _make_folders(board: Board, files: Iterable[File]) -> None:
    folders: dict[str, None] = {}
    for file in files:
        parts = file.path.split("/")[1:-1]
        folders |= {"/" + "/".join(parts[: depth + 1]): None for depth in range(len(parts))}
    board.run(_MAKE.format(folders=list(folders)), _ERASE_S)


def _remove(board: Board, paths: list[str]) -> None:
    board.run(f"{_REMOVE}for p in {paths!r}:r(p)", _ERASE_S)
