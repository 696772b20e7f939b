"""Runs pytest on planted test files, as CI and people do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPS = "import pytest\ndef test_needs_more():\n    pytest.skip('no cable')\n"
SKIPS_WHOLE_FILE = "import pytest\npytest.skip('no cable', allow_module_level=True)\n"
EXPECTS_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_not_yet():\n    assert False\n"
LEAVES_A_PROCESS = """
import subprocess, sys
def test_forgets():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(8)"])
"""
SPREAD_AND_ALONE = pytest.mark.parametrize("spread", [["-n", "2"], []], ids=["spread", "alone"])
IS_LONG = "import pytest\n@pytest.mark.soak\ndef test_long():\n    pass\ndef test_short():\n    pass\n"


def run(folder: Path, content: str, *arguments: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(content)
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"--config-file={ROOT / 'pyproject.toml'}", str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@SPREAD_AND_ALONE
@pytest.mark.parametrize("content", [SKIPS, SKIPS_WHOLE_FILE])
def test_a_skip_fails_in_ci_and_says_why(content: str, spread: list[str], tmp_path: Path) -> None:
    answer = run(tmp_path, content, *spread, ci="true")
    assert answer.returncode != 0
    assert "nothing may be skipped in CI: Skipped: no cable" in answer.stdout


def test_a_skip_is_only_reported_elsewhere(tmp_path: Path) -> None:
    answer = run(tmp_path, SKIPS + "def test_fine():\n    pass\n", ci="")
    assert answer.returncode == 0
    assert "1 passed, 1 skipped" in answer.stdout
    assert "no cable" in answer.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert "1 xfailed" in run(tmp_path, EXPECTS_FAILURE, ci="true").stdout


def test_long_tests_run_only_when_asked_for(tmp_path: Path) -> None:
    assert "1 passed, 1 deselected" in run(tmp_path, IS_LONG, ci="true").stdout
    assert "2 passed" in run(tmp_path, IS_LONG, "--soak", ci="true").stdout


@SPREAD_AND_ALONE
def test_a_process_left_behind_fails_the_run(spread: list[str], tmp_path: Path) -> None:
    answer = run(tmp_path, LEAVES_A_PROCESS, "-W", "ignore", *spread, ci="")
    assert answer.returncode != 0
    assert "still running after the tests: " in answer.stdout
