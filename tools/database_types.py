"""Writes the TypeScript types of the database, as the official tool reads them from the applied migrations.

python -m tools.database_types            write the file
"""

import subprocess
import sys
from pathlib import Path

from hub.errors import OperatorNeeded
from tools.local_cloud.node_io import ROOT, environment
from tools.postgres17 import Postgres17, migrate, new_database, supabase_cli

FILE = ROOT / "dashboard" / "src" / "database.ts"
REMEDY = "the migrations have changed: run `make types`"
NOTICE = "// Written by `make types` from the applied migrations; changes here are lost.\n\n"
FORMAT_TIMEOUT_S = 60


def types_of(url: str) -> str:
    """Return the types of the schema public of a migrated database, formatted.

    Raises OperatorNeeded with what the tool said.
    """
    made = supabase_cli("gen", "types", "--lang=typescript", "--schema=public", f"--remote={url}")
    if made.returncode:
        raise OperatorNeeded(f"no types could be generated:\n{made.stderr}")
    # Before the types the tool tells about its connection.
    start = made.stdout.index("export type Json")
    return NOTICE + _formatted(made.stdout[start:])


def write(file: Path = FILE) -> None:
    """Apply the migrations to an empty Postgres and write what comes of it."""
    with Postgres17() as server:
        url = new_database(server.url, "types")
        applied = migrate(url)
        if applied.returncode:
            raise OperatorNeeded(f"the migrations cannot be applied:\n{applied.stderr}")
        text = types_of(url)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _formatted(text: str) -> str:
    deno = ROOT / "node_modules" / "deno" / "bin.cjs"
    result = subprocess.run(
        ["node", str(deno), "fmt", "--ext=ts", "--line-width=110", "-"],
        input=text,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=FORMAT_TIMEOUT_S,
        check=False,
    )
    if result.returncode:
        raise OperatorNeeded(f"the types cannot be formatted:\n{result.stderr}")
    return result.stdout


if __name__ == "__main__":
    write()
    print(f"wrote {FILE.relative_to(ROOT)}", file=sys.stderr)
