"""What runs on a node is tested there: the same tests, in the real interpreter."""

import importlib
from pathlib import Path

import pytest

from tests.micropython.test_shared_schema import ROOT, RUNNER, run

TESTS = ROOT / "tests" / "firmware"


def runs_on_a_board(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "import pytest" not in text and "hypothesis" not in text


MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in TESTS.rglob("test_*.py")
    if runs_on_a_board(path)
)


@pytest.mark.parametrize("name", MODULES)
def test_tests_pass_in_micropython(name: str, micropython: list[str]) -> None:
    wanted = [f"{name} {test}" for test in sorted(dir(importlib.import_module(name))) if test[:5] == "test_"]
    answer = run(micropython, str(RUNNER), name)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines() == wanted
