"""What goes on a node's flash: a release for a slot, and the part outside the slots that starts it."""

import hashlib
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from firmware.node.slots import COPIES
from hub.errors import OperatorNeeded
from tools.firmware import release

APPLICATION = "firmware/main.py"  # what the boot part runs
_COUNTER_EPOCH_S = 1_704_067_200  # 2024: minutes since then fit what a board holds in one word


class File(NamedTuple):
    """One file. path: from the root of the flash, or below the slot."""

    path: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """The SHA-256."""
        return hashlib.sha256(self.content).digest()


class Image(NamedTuple):
    """slot_files: below a slot. manifest: makes a slot whole. root_files: what starts it, main.py last."""

    version: str
    counter: int
    slot_files: tuple[File, ...]
    manifest: bytes
    root_files: tuple[File, ...]

    @property
    def start(self) -> bytes:
        """Our main.py."""
        return self.root_files[-1].content


def build_image(now_s: float, sources: Path = release.ROOT) -> Image:
    """Compile the firmware in sources. now_s: Unix time; a later image counts as a newer release.

    Raises OperatorNeeded when something does not compile, or there is no application.
    """
    if not (sources / APPLICATION).exists():
        hint = "is this a whole copy of Penstock?"
        raise OperatorNeeded("there is no application to flash", where=str(sources / APPLICATION), hint=hint)
    counter = int(now_s - _COUNTER_EPOCH_S) // 60
    built = release.build(f"{_own_version()}+{_fingerprint(sources)}", counter, sources=sources)
    bare = release.bare_board(built, sources=sources)
    slot_files = tuple(File(file.path, file.content) for file in built.files)
    outside = [path for path in bare if not path.startswith("slots/") and path not in COPIES]
    return Image(
        built.version, counter, slot_files, built.manifest, tuple(File(path, bare[path]) for path in outside)
    )


def _fingerprint(sources: Path) -> str:
    """Return eight digits that tell one state of the sources from another."""
    found = (path for package in release.PACKAGES for path in (sources / package).rglob("*.py"))
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(f"{path.relative_to(sources)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def _own_version() -> str:
    try:
        return version("penstock")
    except PackageNotFoundError:  # started from its sources
        return str(tomllib.loads((release.ROOT / "pyproject.toml").read_text())["project"]["version"])
