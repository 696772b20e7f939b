"""The timetable of faults."""

import pytest

from hub.errors import ConfigError
from tools.demo.faults import Fault, describe, parse_faults


def test_reads_instants_and_spans_in_order_of_time() -> None:
    faults = parse_faults("kill-hub@50, cut@20-45,dead-slave@30.5-60", 90)

    assert faults == (Fault("cut", 20, 45), Fault("dead-slave", 30.5, 60), Fault("kill-hub", 50, None))


def test_an_empty_timetable_is_calm() -> None:
    assert parse_faults("", 10) == ()


def test_a_span_holds_from_its_start_to_just_before_its_end() -> None:
    faults = parse_faults("cut@20-45", 90)

    assert [describe(faults, now_s) for now_s in (19.9, 20, 44.9, 45)] == ["none", "cut", "cut", "none"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("flood@3-4", "is not a known fault"),
        ("cut@20", "needs an end"),
        ("cut", "no time given"),
        ("cut@a-b", "no time given"),
        ("cut@30-20", "ends before it starts"),
        ("kill-hub@3-9", "happens at one instant"),
        ("cut@80-100", "lies outside the 90 seconds of the run"),
        ("cut@nan-3", "no time given"),
        ("cut@-5-3", "no time given"),
    ],
)
def test_refuses_what_cannot_be_and_says_why(entry: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_faults(f"noise@1-2,{entry}", 90)

    assert [problem.key for problem in caught.value.problems] == [entry]
    assert reason in caught.value.problems[0].reason


def test_names_every_bad_entry_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_faults("flood@1-2,cut@5,kill-hub", 90)

    assert len(caught.value.problems) == 3
