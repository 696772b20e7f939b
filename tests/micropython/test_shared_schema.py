"""What travels is tested in the interpreter that sends it."""

import importlib
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("runner.py")
MODULES = sorted(path.stem for path in (ROOT / "shared_schema").glob("[!_]*.py"))
TEST_MODULES = sorted(path.stem for path in (ROOT / "tests" / "shared_schema").glob("test_*.py"))


def run(micropython: list[str], *arguments: str, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*micropython, *arguments],
        cwd=path,
        env={**os.environ, "MICROPYPATH": f"{path}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_is_something_to_import() -> None:
    assert {"metrics", "records", "enums", "limits"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_in_micropython(module: str, micropython: list[str]) -> None:
    answer = run(micropython, "-c", f"import shared_schema.{module}; print('imported')")
    assert answer.stdout == "imported\n", answer.stderr


@pytest.mark.parametrize("module", TEST_MODULES)
def test_tests_pass_in_micropython(module: str, micropython: list[str]) -> None:
    name = f"tests.shared_schema.{module}"
    wanted = [f"{name} {test}" for test in sorted(dir(importlib.import_module(name))) if test[:5] == "test_"]
    answer = run(micropython, str(RUNNER), name)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines() == wanted


def test_a_failing_test_is_seen(micropython: list[str], tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("def test_sum():\n    assert 1 + 1 == 3\n")
    answer = run(micropython, str(RUNNER), "planted", path=tmp_path)
    assert answer.returncode != 0
    assert "AssertionError" in answer.stdout + answer.stderr
