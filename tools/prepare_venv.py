"""Makes .venv hold exactly what a lock file names, and the command `penstock`.

Runs on the machine's own Python before anything is installed, so: the standard library only.
Usage: python3 tools/prepare_venv.py requirements/demo.txt
"""

import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
QUIETLY = ["--quiet", "--quiet"]  # twice: errors only

# A path file and a launcher do what an editable install would, without fetching a build backend or leaving
# metadata in the tree. A shell finds the interpreter, because a #! line cannot hold a path with spaces;
# -P keeps a folder "tools" in the current directory from being taken for ours.
LAUNCHER = """#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -P -m tools.command "$@"
"""


def main(arguments: list[str]) -> int:
    """Prepare .venv from the lock file named; return an exit code."""
    if sys.version_info < OLDEST_PYTHON:
        found, oldest = ".".join(map(str, sys.version_info[:3])), ".".join(map(str, OLDEST_PYTHON))
        return _fail(f"this is Python {found}, {oldest} or newer is needed: make PYTHON=python{oldest}")
    if len(arguments) != 1:
        return _fail("name one lock file, such as requirements/demo.txt")
    steps = ([] if _venv_works() else _steps_to_create()) + [_step_to_install(arguments[0])]
    for step in steps:
        if subprocess.run(step, check=False).returncode != 0:
            return _fail(f"this command failed: {' '.join(step)}")
    _link()
    return 0


def _venv_works() -> bool:
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0


def _steps_to_create() -> list[list[str]]:
    # Debian leaves ensurepip out of python3 unless python3-venv is installed; its pip can serve the venv.
    without = ["--without-pip"] if _machine_has_pip() else []
    return [[_machine_python(), "-m", "venv", "--clear", *without, str(VENV)]]


def _step_to_install(lock: str) -> list[str]:
    pip = (
        [_machine_python(), "-m", "pip", "--python", str(PYTHON)]
        if _machine_has_pip()
        else [str(PYTHON), "-m", "pip"]
    )
    return [*pip, "install", *QUIETLY, "--no-deps", "--require-hashes", "--only-binary=:all:", "-r", lock]


def _machine_python() -> str:
    # When .venv is activated, python3 is the one we are about to change.
    return str(getattr(sys, "_base_executable", sys.executable))


def _machine_has_pip() -> bool:
    question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)"
    return subprocess.run([_machine_python(), "-c", question], check=False).returncode == 0


def _link() -> None:
    packages = next((VENV / "lib").glob("python3.*/site-packages"))
    (packages / "penstock.pth").write_text(f"{ROOT}\n")
    launcher = VENV / "bin" / "penstock"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


def _fail(reason: str) -> int:
    print(f"penstock: error: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
