from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import (
    CameToBeKnown,
    ClockSettings,
    ClockTruth,
    Observation,
    ServerTime,
    Stepped,
    Trust,
    bracket_of,
    narrowed,
)
from hub.ports import Stamp
from shared_schema.enums import TimeQuality

NOW_MS = 1_800_000_000_000  # true time at monotonic 0 of these boots: January 2027
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS


class Look(NamedTuple):
    """One observation. wrong_ms: how far the wall is from the true time."""

    at_s: float
    wrong_ms: float
    is_synced: bool | None


def observe(truth: ClockTruth, look: Look) -> CameToBeKnown | Stepped | None:
    return truth.observe(Observation(look.at_s, NOW_MS + look.at_s * 1000 + look.wrong_ms, look.is_synced))


def hint(truth: ClockTruth, at_s: float, rtt_s: float = 0.2) -> CameToBeKnown | Stepped | None:
    """Let a server with the true time answer half way through rtt_s."""
    date_ms = int(NOW_MS + (at_s - rtt_s / 2) * 1000) // 1000 * 1000
    return truth.hint(ServerTime(at_s - rtt_s, at_s, date_ms))


def error_ms(truth: ClockTruth, at_s: float) -> float:
    return truth.stamp(at_s).recorded_at_ms - (NOW_MS + at_s * 1000)


BOOTS: dict[str, tuple[Trust, list[Look], bool, float]] = {
    # name: whom it trusts, what it sees, whether the time is known then, how wrong stamps are then
    "right from the start": ("kernel", [Look(5, 0, True)], True, 0),
    "boots in 1970, then NTP": ("kernel", [Look(5, -NOW_MS, False), Look(90, 0, True)], True, 0),
    "boots in 2021, never NTP": (
        "kernel",
        [Look(5, -6 * YEAR_MS, False), Look(9000, -6 * YEAR_MS, False)],
        False,
        0,
    ),
    "boots two weeks back, then NTP": (
        "kernel",
        [Look(5, -336 * HOUR_MS, False), Look(60, -336 * HOUR_MS, False), Look(65, 0, True)],
        True,
        0,
    ),
    "boots in 2099, then NTP": ("kernel", [Look(5, 73 * YEAR_MS, False), Look(300, 0, True)], True, 0),
    "1970 called synchronised": ("kernel", [Look(5, -NOW_MS, True)], False, 0),
    "2099 called synchronised": ("kernel", [Look(5, 73 * YEAR_MS, True)], False, 0),
    "kernel cannot be asked": ("kernel", [Look(5, 0, None)], False, 0),
    "battery-backed clock": ("system", [Look(5, 0, False)], True, 0),
    "battery-backed clock, kernel mute": ("system", [Look(5, 0, None)], True, 0),
    "battery-backed clock with an empty battery": ("system", [Look(5, -NOW_MS, False)], False, 0),
    "set wrong by hand while running": ("kernel", [Look(5, 0, True), Look(10, 3 * HOUR_MS, False)], True, 0),
    "synchronisation runs out": ("kernel", [Look(5, 0, True), Look(36_000, 0, False)], True, 0),
    "set wrong, then NTP again": (
        "kernel",
        [Look(5, 0, True), Look(10, -HOUR_MS, False), Look(60, 0, True)],
        True,
        0,
    ),
    "vouched for but wrong, then stepped back": (
        "kernel",
        [Look(5, 2 * HOUR_MS, True), Look(10, 0, True)],
        True,
        0,
    ),
    "vouched for but wrong, then stepped on": (
        "kernel",
        [Look(5, -2 * HOUR_MS, True), Look(10, 0, True)],
        True,
        0,
    ),
    "operator sets a battery-backed clock": (
        "system",
        [Look(5, HOUR_MS, False), Look(10, 0, False)],
        True,
        0,
    ),
    "cloud trusted but silent, NTP answers": (
        "cloud",
        [Look(5, -HOUR_MS, False), Look(60, 0, True)],
        True,
        0,
    ),
}


@pytest.mark.parametrize("name", BOOTS)
def test_knows_the_time_only_from_whom_it_trusts(name: str) -> None:
    trust, looks, is_known, wrong_ms = BOOTS[name]
    truth = ClockTruth(ClockSettings(trust))
    for look in looks:
        observe(truth, look)
    assert truth.is_known == is_known
    stamp = truth.stamp(looks[-1].at_s + 1)
    if is_known:
        assert error_ms(truth, looks[-1].at_s + 1) == pytest.approx(wrong_ms, abs=1)
        assert stamp.time_quality == TimeQuality.SYNCED
    else:
        assert stamp == Stamp(round((looks[-1].at_s + 1) * 1000), TimeQuality.PENDING)


def test_says_once_how_to_stamp_what_was_taken_before() -> None:
    truth = ClockTruth(ClockSettings("kernel"))
    assert observe(truth, Look(5, -HOUR_MS, False)) is None
    taken_s = 7.25
    pending = truth.stamp(taken_s)
    known = observe(truth, Look(90, 0, True))
    assert isinstance(known, CameToBeKnown)
    assert known.time_quality == TimeQuality.CORRECTED
    assert pending.recorded_at_ms + known.offset_ms == NOW_MS + 7250
    assert observe(truth, Look(95, 0, True)) is None


def test_a_restart_within_the_boot_stamps_on_the_same_line() -> None:
    before = ClockTruth(ClockSettings("kernel"))
    pending = before.stamp(20.0)
    after = ClockTruth(ClockSettings("kernel"))
    known = observe(after, Look(30, 0, True))
    assert isinstance(known, CameToBeKnown)
    assert pending.recorded_at_ms + known.offset_ms == NOW_MS + 20_000


def test_a_moment_before_the_clock_was_known_is_called_corrected() -> None:
    truth = ClockTruth(ClockSettings("kernel"))
    observe(truth, Look(90, 0, True))
    assert truth.stamp(89.9) == Stamp(NOW_MS + 89_900, TimeQuality.CORRECTED)


@pytest.mark.parametrize("by_ms", [-5 * HOUR_MS, -1000, 1000, 5 * HOUR_MS])
def test_later_samples_follow_a_step_and_it_is_told(by_ms: int) -> None:
    truth = ClockTruth(ClockSettings("kernel"))
    observe(truth, Look(5, 0, True))
    stamped = truth.stamp(6.0)
    assert observe(truth, Look(10, by_ms, True)) == Stepped(by_ms)
    assert truth.stamp(11.0).recorded_at_ms == NOW_MS + 11_000 + by_ms
    assert stamped == Stamp(NOW_MS + 6000, TimeQuality.SYNCED)


def test_slew_is_followed_without_a_word_and_stamps_keep_rising() -> None:
    truth = ClockTruth(ClockSettings("kernel"))
    stamps = []
    for look_s in range(0, 600, 5):
        # 500 ppm, the fastest the kernel slews (adjtimex(2)).
        change = observe(truth, Look(look_s, -0.0005 * look_s * 1000, True))
        assert not isinstance(change, Stepped)
        stamps += [truth.stamp(look_s + ahead_s).recorded_at_ms for ahead_s in (0.1, 2.5, 4.9)]
    assert stamps == sorted(stamps)
    assert error_ms(truth, 600) == pytest.approx(-300, abs=3)


def test_believes_the_cloud_where_no_time_server_answers() -> None:
    truth = ClockTruth(ClockSettings("cloud"))
    observe(truth, Look(5, -6 * YEAR_MS, False))
    assert hint(truth, 20.0) is None
    assert not truth.is_known
    known = hint(truth, 21.3)
    assert isinstance(known, CameToBeKnown)
    assert abs(error_ms(truth, 30.0)) < 1000


def test_takes_the_wall_clock_itself_where_the_cloud_confirms_it() -> None:
    truth = ClockTruth(ClockSettings("cloud"))
    observe(truth, Look(5, 37, None))
    hint(truth, 20.0)
    hint(truth, 21.0)
    assert error_ms(truth, 30.0) == 37


@pytest.mark.parametrize("trust", ["kernel", "system"])
def test_never_takes_the_time_from_a_cloud_it_was_not_told_to_trust(trust: Trust) -> None:
    truth = ClockTruth(ClockSettings(trust))
    for at_s in range(1, 20):
        assert hint(truth, at_s) is None
    assert not truth.is_known


def test_a_slow_answer_pins_nothing_down() -> None:
    truth = ClockTruth(ClockSettings("cloud"))
    assert hint(truth, 20.0, rtt_s=9.0) is None
    assert hint(truth, 40.0, rtt_s=9.0) is None
    assert not truth.is_known


def test_two_servers_that_disagree_are_not_believed() -> None:
    truth = ClockTruth(ClockSettings("cloud"))
    hint(truth, 20.0)
    assert truth.hint(ServerTime(29.8, 30.0, NOW_MS + 7 * HOUR_MS)) is None
    assert not truth.is_known


def test_ntp_takes_over_from_the_cloud() -> None:
    truth = ClockTruth(ClockSettings("cloud"))
    hint(truth, 20.0)
    hint(truth, 21.3)
    observe(truth, Look(60, 0, True))
    assert error_ms(truth, 61.0) == 0
    assert hint(truth, 70.0) is None
    assert error_ms(truth, 71.0) == 0


def test_says_how_far_a_trusted_clock_is_from_the_cloud() -> None:
    truth = ClockTruth(ClockSettings("system"))
    observe(truth, Look(5, -HOUR_MS, False))
    assert truth.disagreement_ms() == 0
    hint(truth, 20.0)
    hint(truth, 21.0)
    assert truth.disagreement_ms() == pytest.approx(-HOUR_MS, abs=1200)
    observe(truth, Look(25, 0, False))
    assert truth.disagreement_ms() == 0


@given(
    drift_ppm=st.floats(-100, 100),
    answers=st.lists(
        st.tuples(st.floats(0.1, 3600), st.floats(0.01, 3), st.floats(0, 1)), min_size=1, max_size=20
    ),
)
def test_brackets_always_hold_the_true_time(
    drift_ppm: float, answers: list[tuple[float, float, float]]
) -> None:
    bracket, sent_s = None, 100.0
    for wait_s, rtt_s, share in answers:
        sent_s += wait_s
        answered_s = sent_s + rtt_s * share
        date_ms = int(NOW_MS + answered_s * 1000 * (1 + drift_ppm / 1e6)) // 1000 * 1000
        bracket = narrowed(bracket, ServerTime(sent_s, sent_s + rtt_s, date_ms))
        true_offset_ms = NOW_MS + (sent_s + rtt_s) * 1000 * drift_ppm / 1e6
        assert bracket.low_ms - 1 <= true_offset_ms <= bracket.high_ms + 1
    assert bracket is not None
    assert bracket.answers == len(answers)


def test_answers_narrow_the_bracket_below_the_resolution_of_a_date() -> None:
    bracket = bracket_of(ServerTime(10.0, 10.1, NOW_MS + 10_000))
    assert bracket.width_ms == pytest.approx(1100)
    narrower = narrowed(bracket, ServerTime(11.85, 11.95, NOW_MS + 11_000))
    assert narrower.width_ms < 300
