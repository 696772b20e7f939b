"""A million frames of noise in each interpreter; the same noise, so both must find the same faults.

But for texts: MicroPython lets some pass that are not quite UTF-8.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.shared_schema.noise import batter

ROOT = Path(__file__).resolve().parents[3]
FRAMES, SEED = 1_000_000, 20


def faults_in_micropython(micropython: list[str], count: int) -> int:
    answer = subprocess.run(
        [*micropython, "-c", f"from tests.shared_schema.noise import batter; print(batter({count}, {SEED}))"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    faults, _ = answer.stdout.strip("()\n").split(", ")
    return int(faults)


def compare(micropython: list[str], count: int) -> None:
    faults, texts = batter(count, SEED)
    assert faults > count // 2
    assert 0 <= faults - faults_in_micropython(micropython, count) <= texts


def test_both_interpreters_find_the_same_faults(micropython: list[str]) -> None:
    compare(micropython, 3000)


@pytest.mark.soak
def test_a_million_frames_end_in_nothing_but_a_link_error(micropython: list[str]) -> None:
    compare(micropython, FRAMES)
