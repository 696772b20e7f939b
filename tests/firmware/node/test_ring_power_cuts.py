"""The ring on real LittleFS in real MicroPython, where the power goes at any program or erase of the chip."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from firmware.node.ring import POLICIES

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "tests" / "firmware" / "on_board"
ESP32_PROGRAM_BYTES, RP2_PROGRAM_BYTES = 32, 256  # as the ports format their flash
STEPS = {ESP32_PROGRAM_BYTES: 31, RP2_PROGRAM_BYTES: 17}  # of all changes; a flush makes two
SEEDS = 4  # of the long version: more than 18,000 cuts, a quarter of an hour


def in_micropython(micropython: list[str], script: str, *arguments: str | int, timeout_s: int = 600) -> str:
    answer = subprocess.run(
        [*micropython, "-X", "heapsize=64m", str(SCRIPTS / script), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.parametrize("program_bytes", [ESP32_PROGRAM_BYTES, RP2_PROGRAM_BYTES])
@pytest.mark.parametrize("policy", POLICIES)
def test_survives_a_cut(policy: str, program_bytes: int, micropython: list[str]) -> None:
    answer = in_micropython(micropython, "power_cuts.py", policy, program_bytes, 1, STEPS[program_bytes])
    cuts, rows, losses = (int(number) for number in re.findall(r"(?:cuts|rows|losses) (\d+)", answer))
    assert cuts > 30
    assert rows > losses > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("program_bytes", [ESP32_PROGRAM_BYTES, RP2_PROGRAM_BYTES])
@pytest.mark.parametrize("policy", POLICIES)
def test_survives_every_cut(policy: str, program_bytes: int, seed: int, micropython: list[str]) -> None:
    assert "cuts" in in_micropython(micropython, "power_cuts.py", policy, program_bytes, seed, 1)


def test_a_disk_that_refuses_costs_only_what_memory_cannot_hold(micropython: list[str]) -> None:
    answer = in_micropython(micropython, "full_disk.py")
    assert "DISK" in answer


@pytest.mark.soak
def test_a_disk_that_fails_once_at_any_change(micropython: list[str]) -> None:
    assert "failures" in in_micropython(micropython, "failing_disk.py", 1)


def test_a_disk_that_fails_once(micropython: list[str]) -> None:
    assert "failures" in in_micropython(micropython, "failing_disk.py", 13)
