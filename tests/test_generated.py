"""Generated files are what would be generated now."""

import subprocess
import sys
from pathlib import Path

from shared_schema.metrics import KINDS
from tools.generate import NOTICE, ROOT, contents, stale, write


def test_generated_files_are_fresh() -> None:
    assert stale(ROOT, contents()) == [], "run `make generate`"


def test_check_passes_here() -> None:
    check = subprocess.run([sys.executable, "-m", "tools.generate", "--check"], cwd=ROOT, check=False)
    assert check.returncode == 0


def test_first_line_says_that_and_how_it_was_generated() -> None:
    for path in contents():
        assert NOTICE in (ROOT / path).read_text().splitlines()[0]


def test_a_changed_or_missing_file_is_stale(tmp_path: Path) -> None:
    wanted = {"docs/a.md": "one\n", "docs/b.md": "two\n"}
    write(tmp_path, wanted)
    assert stale(tmp_path, wanted) == []
    (tmp_path / "docs/a.md").write_text("edited\n")
    (tmp_path / "docs/b.md").unlink()
    assert stale(tmp_path, wanted) == ["docs/a.md", "docs/b.md"]


def test_fresh_files_are_left_untouched(tmp_path: Path) -> None:
    wanted = {"a.md": "one\n"}
    write(tmp_path, wanted)
    before = (tmp_path / "a.md").stat().st_mtime_ns
    write(tmp_path, wanted)
    assert (tmp_path / "a.md").stat().st_mtime_ns == before


def test_metrics_page_names_every_table_and_column() -> None:
    page = contents()["docs/METRICS.md"]
    for kind in KINDS:
        section = page.split(f"`{kind.table}`", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
        for name in kind.field_names:
            assert f"| `{name}` |" in section
