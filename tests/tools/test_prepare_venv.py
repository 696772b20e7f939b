"""Prepares a real environment in a folder of its own, from a lock that needs no network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import prepare_venv

SCRIPT = Path(prepare_venv.__file__)
COMMAND = "import os, sys\nprint('cwd', os.getcwd())\nsys.exit(7)\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a folder with spaces"
    (root / "tools" / "command").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "tools")
    (root / "tools/command/__main__.py").write_text(COMMAND)
    (root / "empty.txt").write_text("# nothing\n")
    return root


def prepare(checkout: Path, lock: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/prepare_venv.py", lock],
        cwd=checkout,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_command_runs_from_anywhere_with_its_exit_code(checkout: Path, tmp_path: Path) -> None:
    first = prepare(checkout, "empty.txt")
    assert first.returncode == 0, first.stderr
    (tmp_path / "tools").mkdir()  # somebody else's
    answer = subprocess.run(
        [checkout / ".venv/bin/penstock"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (7, f"cwd {tmp_path}\n"), answer.stderr


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    broken = checkout / ".venv/bin/python"
    broken.parent.mkdir(parents=True)
    broken.symlink_to("/nowhere/python3")
    assert prepare(checkout, "empty.txt").returncode == 0
    assert subprocess.run([broken, "-c", "import tools.command"], check=False).returncode == 0


def test_a_lock_that_cannot_be_installed_is_a_failure(checkout: Path) -> None:
    answer = prepare(checkout, "missing.txt")
    assert answer.returncode == 1
    assert "penstock: error: this command failed" in answer.stderr


def test_an_old_python_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare_venv, "OLDEST_PYTHON", (4, 2))
    assert prepare_venv.main(["requirements/demo.txt"]) == 1
    assert "4.2 or newer is needed: make PYTHON=python4.2" in capsys.readouterr().err
