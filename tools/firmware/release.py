"""Makes a release of a node's application: the files of a slot, and the manifest that a hub signs per node.

Source: firmware/node/manifest.py for what a manifest may say; firmware/boot.py for what lies in the root.
"""

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
from tools.firmware.linker.link import link

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("firmware", "shared_schema")
OLDEST_MICROPYTHON = "1.25"
# What starts a node and is never updated over the air: in the root of its flash, not in a slot.
BOOT_PART = ("firmware.boot", "firmware.node.slots", "firmware.node.trial", "firmware.pack")
ONLY_AT_BOOT = ("firmware.boot", "firmware.pack")
MAIN, ENTRY = "firmware.main", "run"  # what boot.py calls
BY_NAME = ("firmware.board", "firmware.drivers")  # what the hardware and the configuration choose
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
    board: str = "any",
    allows_older: bool = False,
) -> Release:
    """Make a release of what is in sources. counter has to rise with every release of a site.

    Raises OperatorNeeded when a node would refuse it, or a module does not compile.
    """
    modules = _linked(sources)
    content = pack(
        [(_path(name, bytecode.SUFFIX), _compiled(name, modules[name])) for name in sorted(modules)]
    )
    files = [ReleaseFile(PACK, content)]
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


def bare_board(release: Release, *, sources: Path = ROOT) -> dict[str, bytes]:
    """Return every file, by its path on the flash, of a board that has never run anything."""
    boot_part = {
        _path(name, bytecode.SUFFIX): _compiled(name, (sources / _path(name, ".py")).read_text())
        for name in BOOT_PART
    }
    slot = f"slots/{SLOTS[0]}"
    record = Pointer()
    record.version, record.counter = release.version, release.counter
    return {
        **boot_part,
        **{f"{slot}/{file.path}": file.content for file in release.files},
        f"{slot}/{MANIFEST}": release.manifest,
        COPIES[0]: encode(1, record),
        "main.py": START,  # last: a board that was unplugged half-way does not start half of it
    }


def _linked(sources: Path) -> dict[str, str]:
    """Return the application's modules by their names."""
    found = [path for package in PACKAGES for path in sorted((sources / package).rglob("*.py"))]
    texts = {_name(path.relative_to(sources)): path.read_text() for path in found if path.stem != "__init__"}
    for name, text in texts.items():
        try:
            compile(text, name, "exec")
        except SyntaxError as error:
            raise OperatorNeeded(f"no Python: {error}", where=_path(name, ".py")) from error
    return link(
        {name: text for name, text in texts.items() if name not in ONLY_AT_BOOT}, MAIN, ENTRY, BY_NAME
    )


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def _path(name: str, suffix: str) -> str:
    return name.replace(".", "/") + suffix


def _compiled(name: str, source: str) -> bytes:
    return bytecode.compile_module(source.encode(), _path(name, ".py"))
