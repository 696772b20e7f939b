"""Gets the real MicroPython (Unix port): the machine's own, or Debian 13's in a cache folder.

Nothing is installed and no root is needed: apt downloads into the cache and checks signatures and hashes as
always, the packages are unpacked there, and the interpreter runs through its own loader and libraries.
The archive's address comes from the machine's apt configuration.

    python -m tools.micropython [FILE ...]     run it, or prepare it and say where it is
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hub.errors import OperatorNeeded, PenstockError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "micropython"
OLDEST = (1, 25)  # asyncio, sockets, VfsLfs2 and cryptolib in the Unix port as distributed
SUITE = "trixie"  # the first Debian release whose micropython package is new enough
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
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
        _fetch(unpacked)
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


def _fetch(unpacked: Path) -> None:
    if missing := [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]:
        raise OperatorNeeded(f"{' and '.join(missing)} not found, MicroPython cannot be fetched", hint=HINT)
    unpacked.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=unpacked.parent, prefix="fetch-") as name:
        folder = Path(name)
        packages = _download(folder)
        for package in packages:
            _run(["dpkg-deb", "--extract", str(package), str(folder / "root")])
        try:
            (folder / "root").rename(unpacked)
        except OSError:
            if not unpacked.exists():  # otherwise another process was faster, with the same packages
                raise


def _download(folder: Path) -> list[Path]:
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()  # with nothing installed, apt brings every library along
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    site = _debian_site(folder)
    (folder / "sources.list").write_text(f"deb {signed}{site} {SUITE} main\n")
    apt = _apt(folder, own_sources=True)
    _run([*apt, "update"])
    _run([*apt, "install", "--yes", "--no-install-recommends", "--download-only", "micropython"])
    return sorted((folder / "cache/archives").glob("*.deb"))


def _debian_site(folder: Path) -> str:
    """Return the address of the Debian archive this machine's apt uses."""
    question = ["indextargets", "--format", "$(LABEL) $(COMPONENT) $(SITE)"]
    answer = _run(["apt-get", *question])
    if not answer:  # a container without lists
        apt = _apt(folder, own_sources=False)
        subprocess.run([*apt, "update"], capture_output=True, check=False)
        answer = _run([*apt, *question])
    for line in answer.splitlines():
        label, component, site = line.split(" ", 2)
        if (label, component) == ("Debian", "main"):
            return site
    raise OperatorNeeded("apt has no Debian archive among its sources", hint=HINT)


def _apt(folder: Path, *, own_sources: bool) -> list[str]:
    """Return apt-get with all its state in folder, so that it neither reads nor writes the system's."""
    options = {
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::Preferences": os.devnull,
        "Dir::Etc::PreferencesParts": os.devnull,
        "Acquire::Languages": "none",
        "Acquire::Retries": 3,
        "APT::Sandbox::User": "root",  # the usual one, _apt, could not write into our folder
    }
    if own_sources:
        options |= {"Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": os.devnull}
    return ["apt-get", "--quiet", *[f"--option={key}={value}" for key, value in options.items()]]


def _run(arguments: list[str]) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperatorNeeded(
            f"failed with: {reason}", where=" ".join(arguments[:1] + arguments[-1:]), hint=HINT
        )
    return done.stdout


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
