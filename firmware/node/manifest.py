"""What a release says of itself: its version, its files and where it may run. Pure.

JSON, authenticated for each node with that node's key, so what is read here was written by the hub or by who
took its keys. It is bounded all the same: a mistake in a release must not cost a node its way back.
"""

import json
from binascii import unhexlify

from shared_schema.digest import Hmac, equal
from shared_schema.update_messages import MANIFEST_LENGTH, VERSION_LENGTH

FILES = 8  # in practice one, the pack
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
        self.files = _files(said.get("files"))


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


def _files(value: object) -> "list[File]":
    if not isinstance(value, list) or not 0 < len(value) <= FILES:
        raise Refused("1 to %d files expected" % FILES)
    files = [_file(item) for item in value]
    if len({file.path for file in files}) < len(files):
        raise Refused("a path twice in the manifest")
    if sum([file.size for file in files]) > TOTAL_BYTES:
        raise Refused("more than %d bytes in all" % TOTAL_BYTES)
    return files


def _file(item: object) -> File:
    if not isinstance(item, list) or len(item) != 3:
        raise Refused("[path, size, sha256] expected")
    path, size, digest = item
    if not isinstance(path, str) or not _is_path(path):
        raise Refused("no path within a slot: %s" % repr(path)[:PATH_LENGTH])
    if not isinstance(digest, str) or len(digest) != 64 or _foreign(digest, _HEX):
        raise Refused("no SHA-256 of %s" % path)
    return File(path, _integer(size, 1, TOTAL_BYTES, "size of " + path), unhexlify(digest))


def _is_path(path: str) -> bool:
    """Return True for a module's path: nothing that leaves the slot, hides, or is the update's own."""
    if (
        len(path) > PATH_LENGTH
        or _foreign(path, _PATH_MARKS)
        or path[path.rfind(".") :] not in (".pack", ".mpy", ".py")
    ):
        return False
    return not any(part == "" or part[0] == "." for part in path.split("/"))


def _foreign(text: str, marks: str) -> bool:
    return any(mark not in marks for mark in text)
