"""A release of the nodes' application: what its manifest says, whether its files are those, and its chunks.

The nodes check all of it again (firmware/node/manifest.py). It is checked here first, so that a damaged
release is refused before any node has given up its idle slot for it.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared_schema.digest import Hmac
from shared_schema.packing import LinkError
from shared_schema.update_messages import MANIFEST_LENGTH, VERSION_LENGTH, Chunk, ChunkWanted, Update

FILES_MOST = 8  # as many as a node takes
BYTES_MOST = 300_000  # of all files; two slots and the ring share a board's flash
_VERSION = re.compile(r"[a-z0-9.+-]+")
_PATH = re.compile(r"[a-z0-9_]+(?:[./][a-z0-9_]+)*")


class ReleaseFile(NamedTuple):
    """One file, as the manifest has it. sha256: in hexadecimal."""

    path: str
    size: int
    sha256: str


class Manifest(NamedTuple):
    """What a release says of itself. content: the bytes that are signed."""

    version: str
    counter: int
    files: tuple[ReleaseFile, ...]
    content: bytes

    @property
    def name(self) -> str:
        """Return what the release's folder is called."""
        return f"{self.version}_{self.counter}"


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose files are what its manifest says. contents: of its files, in their order."""

    manifest: Manifest
    contents: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(map(len, self.contents))

    def offer(self, node_key: bytes) -> Update:
        """Return the offer to one node, signed with its key."""
        return Update(self.manifest.content, Hmac(node_key).of(self.manifest.content))

    def chunk(self, wanted: ChunkWanted) -> Chunk:
        """Return the bytes a node asked for. Raises LinkError when the release does not have them."""
        if wanted.index >= len(self.contents):
            raise LinkError(f"file {wanted.index} of {len(self.contents)} wanted")
        content, end = self.contents[wanted.index], wanted.offset + wanted.length
        if end > len(content):
            raise LinkError(f"bytes up to {end} wanted of a file of {len(content)}")
        return Chunk(wanted.index, wanted.offset, content[wanted.offset : end])

    def bytes_before(self, wanted: ChunkWanted) -> int:
        """Return how much of the release a node has that asks for this."""
        return sum(map(len, self.contents[: wanted.index])) + wanted.offset


def read_manifest(content: bytes) -> Manifest:
    """Return what a manifest says. Raises ValueError that says what no node would take."""
    if len(content) > MANIFEST_LENGTH:
        raise ValueError(f"has {len(content)} bytes; {MANIFEST_LENGTH} are the most")
    said = json.loads(content)
    if not isinstance(said, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - of a file, not of a type
    version, counter, files = said.get("version"), said.get("counter"), said.get("files")
    if not isinstance(version, str) or len(version) > VERSION_LENGTH or not _VERSION.fullmatch(version):
        raise ValueError("has no version")
    if not isinstance(counter, int) or counter < 1:
        raise ValueError("has no counter")
    if not isinstance(files, list) or not 0 < len(files) <= FILES_MOST:
        raise ValueError(f"does not name 1 to {FILES_MOST} files")
    manifest = Manifest(version, counter, tuple(map(_file, files)), content)
    if sum(file.size for file in manifest.files) > BYTES_MOST:
        raise ValueError(f"names more than {BYTES_MOST} bytes")
    return manifest


def allowing_older(manifest: Manifest) -> Manifest:
    """Return a manifest that nodes with a newer release take as well."""
    said = json.loads(manifest.content) | {"allow_older": True}
    return read_manifest(json.dumps(said, separators=(",", ":")).encode())


def release_of(manifest: Manifest, contents: Sequence[bytes]) -> Release:
    """Return a release of these files. Raises ValueError naming the first that is not what it should be."""
    for file, content in zip(manifest.files, contents, strict=True):
        if len(content) != file.size:
            raise ValueError(f"{file.path} has {len(content)} bytes, the manifest says {file.size}")
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise ValueError(f"{file.path} has another SHA-256 than the manifest says")
    return Release(manifest, tuple(contents))


def _file(item: Any) -> ReleaseFile:
    if not isinstance(item, list) or list(map(type, item)) != [str, int, str]:
        raise ValueError("has a file that is not [path, size, sha256]")
    file = ReleaseFile(*item)
    if not _PATH.fullmatch(file.path) or file.size < 1:
        raise ValueError(f"has a file {file.path!r} of {file.size} bytes")
    return file
