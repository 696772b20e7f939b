"""The committed TypeScript types are those of the applied migrations."""

import subprocess

from tools.database_types import FILE, REMEDY, types_of
from tools.local_cloud.node_io import ROOT, environment


def test_the_committed_types_are_those_of_the_migrations(migrated: str) -> None:
    assert FILE.read_text(encoding="utf-8") == types_of(migrated), REMEDY


def test_the_types_hold_under_strict_checking() -> None:
    checked = subprocess.run(
        ["node", str(ROOT / "node_modules" / "deno" / "bin.cjs"), "check", "--no-remote", str(FILE)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
