"""Runs .ci/run beside a planted Makefile."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, recipe: str) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    (folder / "Makefile").write_text(f"test:\n\t{recipe}\n")
    return subprocess.run(
        [folder / ".ci" / "run"],
        cwd="/",
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_ends_with_the_closing_line_and_success(tmp_path: Path) -> None:
    answer = run(tmp_path, '@echo "12 passed, 3 deselected in 4.56s"')
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-1] == "12 passed, 3 deselected in 4.56s"


def test_a_failure_is_named_again_at_the_end(tmp_path: Path) -> None:
    recipe = '@echo "FAILED tests/test_a.py::test_b"; echo "log"; echo "1 failed, 2 passed in 1s"; exit 1'
    answer = run(tmp_path, recipe)
    assert answer.returncode != 0
    closing = answer.stdout.split("----\n")[1].splitlines()
    assert closing[0] == "FAILED tests/test_a.py::test_b"
    assert closing[-1] == "1 failed, 2 passed in 1s"


@pytest.mark.parametrize(
    "line", ["no tests ran in 0.01s", "7 deselected in 0.01s", "nothing at all", "0 passed in 1s"]
)
def test_a_run_in_which_no_test_passed_is_a_failure(line: str, tmp_path: Path) -> None:
    answer = run(tmp_path, f'@echo "{line}"')
    assert answer.returncode != 0
    assert "no test passed" in answer.stdout


def test_the_tests_know_that_this_is_ci(tmp_path: Path) -> None:
    assert "CI is true" in run(tmp_path, '@echo "CI is $$CI"').stdout
