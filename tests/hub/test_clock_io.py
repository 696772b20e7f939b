import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub import clock_io
from hub.clock import CameToBeKnown, ClockSettings, ClockTruth
from hub.clock_io import SystemClock, boot_clock_s, boot_id, kernel_asker, kernel_verdict
from shared_schema.enums import TimeQuality

ON_LINUX = sys.platform == "linux"


def test_a_boot_has_one_name_and_one_clock_whichever_process_asks() -> None:
    question = "from hub.clock_io import *; print(boot_id(), boot_clock_s())"
    before_s = boot_clock_s()
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    name, told = answer.stdout.split()
    assert before_s <= float(told) <= boot_clock_s()
    if ON_LINUX:
        assert name == boot_id()


def test_without_a_name_of_the_boot_every_process_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_io, "BOOT_ID_FILE", tmp_path / "none")
    here = boot_id()
    question = "from hub.clock_io import _own_name; print(_own_name())"
    there = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert boot_id() == here
    assert there.stdout.strip() != here


@pytest.mark.parametrize(
    ("result", "status", "verdict"),
    [
        (0, 0x2001, True),  # TIME_OK under an NTP daemon: STA_PLL | STA_NANO
        (1, 0x2011, True),  # TIME_INS: a leap second is announced, by somebody who knows
        (5, 0x0040, False),  # TIME_ERROR, STA_UNSYNC: nobody set it since the boot
        (5, 0x2001, False),
        (0, 0x0040, False),
        (-1, 0, None),  # a sandbox that forbids the question
    ],
)
def test_reads_the_answer_of_the_kernel(result: int, status: int, verdict: bool | None) -> None:
    assert kernel_verdict(result, status) is verdict


@pytest.mark.skipif(not ON_LINUX, reason="adjtimex is Linux")
def test_the_kernel_answers_the_same_twice() -> None:
    ask = kernel_asker()
    assert ask() is ask()


def test_the_running_system_gives_the_time_of_now() -> None:
    clock = SystemClock(ClockTruth(ClockSettings("system")))
    assert isinstance(clock.observe(), CameToBeKnown)
    stamp = clock.stamp(clock.monotonic_s())
    assert stamp.time_quality == TimeQuality.SYNCED
    assert abs(stamp.recorded_at_ms - time.time() * 1000) < 5000


def test_a_clock_set_while_it_is_read_is_not_believed() -> None:
    answers = iter([True, False])
    truth = ClockTruth(ClockSettings("kernel"))
    clock = SystemClock(truth, is_synced=lambda: next(answers))
    assert clock.observe() is None
    assert not truth.is_known


def test_an_interruption_between_the_clocks_is_read_again() -> None:
    moments = iter([10.0, 17.0, 20.0, 20.0002])
    walls = iter([1_800_000_013.0, 1_800_000_020.0])
    clock = SystemClock(
        ClockTruth(ClockSettings("kernel")),
        boot_s=lambda: next(moments),
        wall_s=lambda: next(walls),
        is_synced=lambda: True,
    )
    known = clock.observe()
    assert isinstance(known, CameToBeKnown)
    assert known.offset_ms == 1_800_000_000_000
