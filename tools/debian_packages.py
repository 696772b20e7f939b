"""Gets programs from Debian into a cache folder, without installing anything and without root.

apt downloads into the cache and checks signatures and hashes as always, and the packages are unpacked there. The
archive's address comes from the machine's apt configuration.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hub.errors import OperatorNeeded

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpack(packages: list[str], suite: str, target: Path, *, hint: str) -> None:
    """Unpack packages of a Debian release, and everything they depend on, into target, which does not exist.

    Raises OperatorNeeded, with the hint, when they cannot be had on this machine.
    """
    if missing := [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]:
        raise OperatorNeeded(f"{' and '.join(missing)} not found, {packages[0]} cannot be fetched", hint=hint)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as name:
        folder = Path(name)
        for package in _download(packages, suite, folder, hint):
            _run(["dpkg-deb", "--extract", str(package), str(folder / "root")], hint)
        try:
            (folder / "root").rename(target)
        except OSError:
            if not target.exists():  # otherwise another process was faster, with the same packages
                raise


def _download(packages: list[str], suite: str, folder: Path, hint: str) -> list[Path]:
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()  # with nothing installed, apt brings every library along
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    site = _debian_site(folder, hint)
    (folder / "sources.list").write_text(f"deb {signed}{site} {suite} main\n")
    apt = _apt(folder, own_sources=True)
    _run([*apt, "update"], hint)
    _run([*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages], hint)
    return sorted((folder / "cache/archives").glob("*.deb"))


def _debian_site(folder: Path, hint: str) -> str:
    """Return the address of the Debian archive this machine's apt uses."""
    question = ["indextargets", "--format", "$(LABEL) $(COMPONENT) $(SITE)"]
    answer = _run(["apt-get", *question], hint)
    if not answer:  # a container without lists
        apt = _apt(folder, own_sources=False)
        subprocess.run([*apt, "update"], capture_output=True, check=False)
        answer = _run([*apt, *question], hint)
    for line in answer.splitlines():
        label, component, site = line.split(" ", 2)
        if (label, component) == ("Debian", "main"):
            return site
    raise OperatorNeeded("apt has no Debian archive among its sources", hint=hint)


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


def _run(arguments: list[str], hint: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperatorNeeded(
            f"failed with: {reason}", where=" ".join(arguments[:1] + arguments[-1:]), hint=hint
        )
    return done.stdout
