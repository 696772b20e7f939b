"""How a trial ends, and when safe mode begins."""

from pathlib import Path

import pytest

from firmware.node import slots, trial
from firmware.node.slots import Pointer
from firmware.node.trial import FAST_RESETS, SETTLE_S, TRIAL_BOOTS, ResetCause, Trial


def on_trial() -> Pointer:
    pointer = Pointer()
    pointer.version, pointer.counter = "1.4.0", 14
    trial.begin(pointer, "1.5.0", 15)
    return pointer


def test_the_boot_that_begins_a_trial_costs_nothing() -> None:
    pointer = on_trial()
    trial.count_reset(pointer, pointer.reset_note)
    assert (pointer.active, pointer.trial_boots_left, pointer.fast_resets) == ("b", TRIAL_BOOTS, 0)


@pytest.mark.parametrize("cause", trial.ENDS_OF_A_TRIAL_BOOT)
def test_three_boots_that_end_by_themselves_end_the_trial(cause: int) -> None:
    pointer = on_trial()
    for _ in range(TRIAL_BOOTS):
        assert pointer.active == "b"
        trial.count_reset(pointer, cause)
    assert (pointer.active, pointer.version, pointer.counter) == ("a", "1.4.0", 14)
    assert pointer.failed_version == "1.5.0"
    assert pointer.fast_resets == 0


@pytest.mark.parametrize("cause", [ResetCause.POWER, ResetCause.OTHER])
def test_power_cuts_do_not_end_a_trial(cause: int) -> None:
    pointer = on_trial()
    for _ in range(100):
        trial.count_reset(pointer, cause)
    assert pointer.trial_boots_left == TRIAL_BOOTS


@pytest.mark.parametrize("cause", [ResetCause.POWER, ResetCause.SLEEP, ResetCause.UPDATE])
def test_whoever_sleeps_or_is_unplugged_does_not_come_into_safe_mode(cause: int) -> None:
    pointer = Pointer()
    for _ in range(100):
        trial.count_reset(pointer, cause)
    assert not trial.is_safe_mode(pointer)


def test_five_resets_in_a_row_are_safe_mode_and_a_power_cut_between_them_changes_nothing() -> None:
    pointer = Pointer()
    for _ in range(FAST_RESETS):
        assert not trial.is_safe_mode(pointer)
        trial.count_reset(pointer, ResetCause.WATCHDOG)
        trial.count_reset(pointer, ResetCause.POWER)
    assert trial.is_safe_mode(pointer)


def test_a_row_of_this_boot_confirms(tmp_path: Path) -> None:
    root = f"{tmp_path}/"
    slots.store(root, on_trial())
    running = Trial(root, first_seq=100)
    assert running.is_running
    assert not running.acknowledge(99, SETTLE_S)
    assert not running.acknowledge(100, SETTLE_S - 1)
    assert slots.load(root).is_trial
    assert running.acknowledge(100, SETTLE_S)
    assert not running.is_running
    pointer = slots.load(root)
    assert (pointer.is_trial, pointer.version, pointer.counter) == (False, "1.5.0", 15)
    assert pointer.failed_version == ""
    assert not running.acknowledge(101, SETTLE_S)


def test_without_a_trial_an_acknowledgement_writes_nothing(tmp_path: Path) -> None:
    running = Trial(f"{tmp_path}/", first_seq=1)
    assert not running.acknowledge(1, SETTLE_S)
    assert list(tmp_path.iterdir()) == []
