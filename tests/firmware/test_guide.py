"""docs/DRIVERS.md: its driver is built and tested as it says, and its configuration fits the constructors."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.drivers.test_contract import DRIVERS, driver_class
from tests.micropython.test_shared_schema import ROOT, RUNNER, run

GUIDE = (ROOT / "docs" / "DRIVERS.md").read_text()
# What the node makes of an entry that names hardware (firmware/node/sensors.py).
HARDWARE = {
    "adc": {"analog"},
    "i2c": {"i2c"},
    "uart": {"uart"},
    "onewire": {"bus"},
    "pulse": {"counter", "now_ms"},
    "trigger_pin": {"trigger"},
    "echo_pin": {"echo", "time_pulse_us"},
    "direction_pin": {"direction"},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The parts of this repository that the example needs, and the example where it says it belongs."""
    for folder in ("firmware", "shared_schema", "tests/firmware/fakes"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for folder in ("tests", "tests/firmware", "tests/firmware/drivers"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "__init__.py").write_text("")
    paths = re.findall(r"`([\w/]+sht31\.py)`:$", GUIDE, re.MULTILINE)
    for path, code in zip(paths, blocks("python"), strict=True):
        (tmp_path / path).write_text(code)
    return tmp_path


def names(output: str) -> list[str]:
    return re.findall(r"test_sht31 (\w+)$", output, re.MULTILINE)


def test_the_example_passes_its_test_in_micropython(tree: Path, micropython: list[str]) -> None:
    answer = run(micropython, str(RUNNER), "tests.firmware.drivers.test_sht31", path=tree)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(names(answer.stdout)) == 4


def test_the_example_passes_its_test_in_cpython(tree: Path) -> None:
    answer = subprocess.run(
        [sys.executable, str(RUNNER), "tests.firmware.drivers.test_sht31"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(names(answer.stdout)) == 4


def test_the_example_is_written_as_everything_here(tree: Path) -> None:
    driver = (tree / "firmware/drivers/sht31.py").read_text()
    command = [sys.executable, "-m", "ruff", "format", "--check", "--diff", "--stdin-filename", "x.py", "-"]
    answer = subprocess.run(command, cwd=ROOT, input=driver, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_driver_has_an_entry_and_a_line_of_wiring() -> None:
    assert sorted(json.loads(block)["driver"] for block in blocks("json")) == sorted(DRIVERS)
    for name in DRIVERS:
        assert re.search(rf"^\| .* \| `{name}` \|", GUIDE, re.MULTILINE), name


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: json.loads(block)["driver"])
def test_an_entry_is_what_the_constructor_takes(block: str) -> None:
    entry = json.loads(block)
    driver = driver_class(entry.pop("driver"))
    hardware = set().union(*(HARDWARE.get(key, set()) for key in entry))
    options = {key: value for key, value in entry.items() if key not in HARDWARE}
    driver(**dict.fromkeys(hardware), **options)
