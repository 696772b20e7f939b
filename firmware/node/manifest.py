"""What a release says of itself: its version, where it may run, and its files. Pure.

The manifest is a small JSON object, authenticated for each node with that node's key:

    {"version": "1.5.0", "counter": 15, "min_micropython": "1.25",
     "board": "any", "contents": [3127, "9f…"]}

contents: size and SHA-256 of the release's first file, CONTENTS, which lists the others, a line each, as
"SHA-256 size path". So a release may have many files, and the manifest still fits one frame of the link.
What is read here was written by the hub, or by who took its keys; it is bounded all the same, because a
mistake in a release must not cost a node its way back.
"""

import json
from binascii import unhexlify

from shared_schema.digest import Hmac, equal
from shared_schema.update_messages import MANIFEST_LENGTH, VERSION_LENGTH

CONTENTS = "contents"
CONTENTS_BYTES = 12_000  # read at once
FILES = 120
FILE_BYTES = 65536  # the largest module is a tenth of it
TOTAL_BYTES = 300_000  # two slots and the ring share the 848 kB of a Pico W
PATH_LENGTH = 64
COUNTER_LIMIT = 2**30  # beyond it an integer is an object on a board

_PATH_MARKS = "abcdefghijklmnopqrstuvwxyz0123456789_./"
_VERSION_MARKS = "abcdefghijklmnopqrstuvwxyz0123456789.+-"
_HEX = "0123456789abcdef"


class Refused(ValueError):
    """This node does not take this release; the text says why and what would help."""


class File:
    """One file of a release. path: below the slot's folder. digest: its SHA-256."""

    def __init__(self, path: str, size: int, digest: bytes) -> None:
        self.path = path
        self.size = size
        self.digest = digest


class Manifest:
    """A release. counter: rises with every release. oldest_micropython: (major, minor)."""

    def __init__(self, said: "dict[str, object]") -> None:
        self.version = _version(said.get("version"))
        self.counter = _integer(said.get("counter"), 1, COUNTER_LIMIT - 1, "counter")
        self.oldest_micropython = _major_minor(said.get("min_micropython"))
        self.board = said.get("board")
        self.allows_older = said.get("allow_older") is True
        self.contents = _contents(said.get("contents"))


def parse(data: bytes, mac: bytes, key: Hmac) -> Manifest:
    """Return what data says, once mac proved that the hub of this node says it. Raises Refused."""
    if len(data) > MANIFEST_LENGTH:
        raise Refused("manifest of %d bytes; %d are the most" % (len(data), MANIFEST_LENGTH))
    if not equal(key.of(data), mac):
        raise Refused("manifest not signed with the key of this node")
    try:
        said = json.loads(data)
    except ValueError:
        raise Refused("manifest is no JSON") from None
    if not isinstance(said, dict):
        raise Refused("manifest is no JSON object")
    return Manifest(said)


def parse_contents(data: bytes) -> "list[File]":
    """Return the files that the content of CONTENTS lists. Raises Refused."""
    try:
        lines = data.decode().split("\n")
    except UnicodeError:
        raise Refused("contents are no text") from None
    if lines.pop() or not 0 < len(lines) <= FILES:
        raise Refused("contents of 1 to %d whole lines expected" % FILES)
    files = [_file(line) for line in lines]
    if len({file.path for file in files}) < len(files):
        raise Refused("a path twice in the contents")
    if sum([file.size for file in files]) > TOTAL_BYTES:
        raise Refused("more than %d bytes in all" % TOTAL_BYTES)
    return files


def check(manifest: Manifest, running_counter: int, board: str, micropython: "tuple[int, ...]") -> None:
    """Raise Refused unless a node that runs running_counter, on this board and interpreter, may take it."""
    if manifest.counter < running_counter and not manifest.allows_older:
        raise Refused("%s is older than what runs; allow_older would take it" % manifest.version)
    if manifest.board not in ("any", board):
        raise Refused("%s is for %s, this is %s" % (manifest.version, manifest.board, board))
    if micropython[:2] < manifest.oldest_micropython:
        major, minor = manifest.oldest_micropython
        raise Refused("%s needs MicroPython %d.%d or newer" % (manifest.version, major, minor))


def _version(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= VERSION_LENGTH or _foreign(value, _VERSION_MARKS):
        raise Refused("version of 1 to %d marks of %s expected" % (VERSION_LENGTH, _VERSION_MARKS))
    return value


def _integer(value: object, low: int, high: int, name: str) -> int:
    if not isinstance(value, int) or value is True or value is False or not low <= value <= high:
        raise Refused("%s from %d to %d expected" % (name, low, high))
    return value


def _major_minor(value: object) -> "tuple[int, int]":
    try:
        major, minor = str(value).split(".")
        return int(major), int(minor)
    except ValueError:
        raise Refused('min_micropython as "1.25" expected') from None


def _contents(value: object) -> File:
    if not isinstance(value, list) or len(value) != 2:
        raise Refused("contents as [size, sha256] expected")
    return File(CONTENTS, _integer(value[0], 1, CONTENTS_BYTES, "size of contents"), _sha256(value[1]))


def _file(line: str) -> File:
    parts = line.split(" ")
    if len(parts) != 3 or not _is_path(parts[2]):
        raise Refused("no sha256, size and path within a slot: %s" % repr(line[:160]))
    digest, size, path = parts
    return File(path, _integer(_number(size), 1, FILE_BYTES, "size of " + path), _sha256(digest))


def _sha256(value: object) -> bytes:
    if not isinstance(value, str) or len(value) != 64 or _foreign(value, _HEX):
        raise Refused("64 hexadecimal digits of SHA-256 expected")
    return unhexlify(value)


def _number(text: str) -> int:
    return int(text) if 0 < len(text) <= 9 and not _foreign(text, _HEX[:10]) else -1


def _is_path(path: str) -> bool:
    """Return True for a module's path: nothing that leaves the slot, hides, or is the update's own."""
    if (
        len(path) > PATH_LENGTH
        or _foreign(path, _PATH_MARKS)
        or path[path.rfind(".") :] not in (".mpy", ".py")
    ):
        return False
    return not any(part == "" or part[0] == "." for part in path.split("/"))


def _foreign(text: str, marks: str) -> bool:
    return any(mark not in marks for mark in text)
