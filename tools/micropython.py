"""Gets the real MicroPython (Unix port): the machine's own, or Debian 13's in a cache folder.

Nothing is installed and no root is needed; the interpreter runs through its own loader and libraries.

    python -m tools.micropython [FILE ...]     run it, or prepare it and say where it is
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from hub.errors import OperatorNeeded, PenstockError
from tools.debian_packages import unpack

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "micropython"
OLDEST = (1, 25)  # asyncio, sockets, VfsLfs2 and cryptolib in the Unix port as distributed
SUITE = "trixie"  # the first Debian release whose micropython package is new enough
HINT = f"put micropython {OLDEST[0]}.{OLDEST[1]} or newer on PATH"


def command(cache: Path = CACHE) -> list[str]:
    """Return the command line that starts MicroPython, fetching it when it is nowhere yet.

    Raises OperatorNeeded when it cannot be had on this machine.
    """
    installed = shutil.which("micropython")
    if installed and _version([installed]) >= OLDEST:
        return [installed]
    unpacked = cache / "root"
    if not unpacked.exists():
        unpack(["micropython"], SUITE, unpacked, hint=HINT)
    return _through_own_loader(unpacked)


def _version(starts: list[str]) -> tuple[int, ...]:
    """Return the version, or () when it does not run."""
    answer = subprocess.run([*starts, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"MicroPython v(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in found.groups()) if found else ()


def _through_own_loader(unpacked: Path) -> list[str]:
    loader = next(unpacked.glob("usr/lib/*/ld-linux*.so.*"), None)
    program = unpacked / "usr/bin/micropython"
    if loader is not None and program.exists():
        starts = [str(loader), "--library-path", str(loader.parent), str(program)]
        if _version(starts) >= OLDEST:
            return starts
    raise OperatorNeeded("the unpacked MicroPython does not start", where=str(unpacked), hint=HINT)


def main(arguments: list[str]) -> int:
    """Run MicroPython with these arguments, or say how it is started."""
    try:
        starts = command()
    except PenstockError as error:
        print(f"penstock: error: {error}", file=sys.stderr)
        return 1
    if not arguments:
        print(" ".join(starts))
        return 0
    return subprocess.run([*starts, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
