"""Makes a release of a node's application: the files of a slot, and the manifest that a hub signs per node.

Source: firmware/node/manifest.py for what a manifest may say; firmware/boot.py for what lies in the root.
"""

import ast
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from firmware.node.manifest import Manifest
from firmware.node.slots import COPIES, MANIFEST, PACK, SLOTS, Pointer, encode
from firmware.pack import pack
from hub.errors import OperatorNeeded
from shared_schema.digest import Hmac
from tools.firmware import bytecode

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("firmware", "shared_schema")
OLDEST_MICROPYTHON = "1.25"
# What starts a node and is never updated over the air: in the root of its flash, not in a slot.
BOOT_PART = ("firmware/boot.py", "firmware/node/slots.py", "firmware/node/trial.py", "firmware/pack.py")
ONLY_AT_BOOT = ("firmware/boot.py", "firmware/pack.py")
START = b"from firmware.boot import start\n\nstart()\n"  # the root's main.py


class ReleaseFile(NamedTuple):
    """One file of a slot. path: below the slot's folder."""

    path: str
    content: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Release(NamedTuple):
    """A release. manifest: the bytes that are signed and sent, as they are. files: as it numbers them."""

    version: str
    counter: int
    manifest: bytes
    files: tuple[ReleaseFile, ...]

    def mac(self, node_key: bytes) -> bytes:
        """Return the 32 bytes that make one node take this manifest."""
        return Hmac(node_key).of(self.manifest)


def build(
    version: str,
    counter: int,
    *,
    sources: Path = ROOT,
    is_compiled: bool = True,
    board: str = "any",
    allows_older: bool = False,
) -> Release:
    """Make a release of what is in sources. counter has to rise with every release of a site.

    Raises OperatorNeeded when a node would refuse it, or a module does not compile.
    """
    paths = [path for path in _modules(sources) if path not in ONLY_AT_BOOT]
    modules = [_file(sources, path, is_compiled=is_compiled) for path in paths]
    files = [ReleaseFile(PACK, pack([(module.path, module.content) for module in modules]))]
    return assemble(version, counter, files, board=board, allows_older=allows_older)


def assemble(
    version: str,
    counter: int,
    files: Sequence[ReleaseFile],
    *,
    board: str = "any",
    allows_older: bool = False,
) -> Release:
    """Make a release of these files. Raises OperatorNeeded when a node would refuse it."""
    manifest: dict[str, object] = {
        "version": version,
        "counter": counter,
        "min_micropython": OLDEST_MICROPYTHON,
        "board": board,
        "files": [[file.path, len(file.content), file.digest] for file in files],
    }
    if allows_older:
        manifest["allow_older"] = True
    try:
        Manifest(manifest)
    except ValueError as error:
        raise OperatorNeeded("no node takes this release", hint=str(error)) from error
    data = json.dumps(manifest, separators=(",", ":")).encode()
    return Release(version, counter, data, tuple(files))


def bare_board(release: Release, *, sources: Path = ROOT, is_compiled: bool = True) -> dict[str, bytes]:
    """Return every file, by its path on the flash, of a board that has never run anything."""
    boot_part = [_file(sources, path, is_compiled=is_compiled) for path in BOOT_PART]
    slot = f"slots/{SLOTS[0]}"
    record = Pointer()
    record.version, record.counter = release.version, release.counter
    return {
        **{file.path: file.content for file in boot_part},
        **{f"{slot}/{file.path}": file.content for file in release.files},
        f"{slot}/{MANIFEST}": release.manifest,
        COPIES[0]: encode(1, record),
        "main.py": START,  # last: a board that was unplugged half-way does not start half of it
    }


def _modules(sources: Path) -> list[str]:
    found = [path for package in PACKAGES for path in (sources / package).rglob("*.py")]
    return sorted(path.relative_to(sources).as_posix() for path in found if not _is_docstring_only(path))


def _is_docstring_only(path: Path) -> bool:
    """Return True for what MicroPython does without: a folder is a package there."""
    if path.name != "__init__.py":
        return False
    return all(isinstance(node, ast.Expr) for node in ast.parse(path.read_text()).body)


def _file(sources: Path, path: str, *, is_compiled: bool) -> ReleaseFile:
    content = (sources / path).read_bytes()
    if not is_compiled:
        return ReleaseFile(path, content)
    return ReleaseFile(path.removesuffix(".py") + bytecode.SUFFIX, bytecode.compile_module(content, path))
