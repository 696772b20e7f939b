"""Deno, which runs the Edge Functions, and what it has to say about their source.

python -m tools.local_cloud.deno_io     style and lint, where Deno is installed; types: in the tests
"""

import os
import subprocess
import sys
from pathlib import Path

from hub.errors import OperatorNeeded
from tools.local_cloud.node_io import CACHE, ROOT

FUNCTIONS = ROOT / "supabase" / "functions"
MAIN = ROOT / "tools" / "local_cloud" / "functions_main.ts"
CHECKS = (("fmt", "--check"), ("lint",))
TIMEOUT_S = 120


def find_deno() -> Path:
    """Return the program. Raises OperatorNeeded when there is none.

    Where npm's install scripts may not run, it is only in the package of the platform.
    """
    modules = ROOT / "node_modules"
    for path in (modules / "deno" / "deno", *sorted((modules / "@deno").glob("*/deno"))):
        if path.exists():
            return path
    raise OperatorNeeded("Deno is missing", where=str(modules), hint="delete node_modules and start again")


def environment() -> dict[str, str]:
    """Return the environment for Deno: ours, a cache in this folder, no look for newer versions."""
    cache = str(CACHE / "local_cloud" / "deno")
    return {**os.environ, "DENO_DIR": cache, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Deno in the root of the repository and wait for it."""
    return subprocess.run(
        [find_deno(), *arguments],
        cwd=ROOT,
        env=environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def look_at_functions(*command: str) -> subprocess.CompletedProcess[str]:
    """Run one of Deno's tools on the source of the functions and of their router."""
    return run(*command, "--config", FUNCTIONS / "deno.json", FUNCTIONS, MAIN)


def main() -> int:
    """Print what style and lint find; 0 when that is nothing, or when Deno is not installed yet."""
    try:
        find_deno()
    except OperatorNeeded:
        return 0
    failed = [done for done in (look_at_functions(*check) for check in CHECKS) if done.returncode]
    for done in failed:
        sys.stderr.write(done.stdout + done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
