import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pipeline.deadband import DeadBand, ReportByException
from shared_schema.enums import Quality

GOOD, BAD = Quality.GOOD, Quality.BAD


@pytest.mark.parametrize(
    ("band", "reported", "value", "is_left"),
    [
        (DeadBand(), 1.0, 1.0, False),
        (DeadBand(), 1.0, 1.001, True),
        (DeadBand(0.5), 1.0, 1.5, False),
        (DeadBand(0.5), 1.0, 0.4, True),
        (DeadBand(percent=10), 50.0, 55.0, False),
        (DeadBand(percent=10), -50.0, -55.1, True),
        (DeadBand(2.0, 10), 1.0, 2.9, False),
        (DeadBand(100.0), None, 1.0, True),
        (DeadBand(100.0), 1.0, None, True),
        (DeadBand(100.0), None, None, False),
        (DeadBand(100.0), "a", "b", True),
    ],
)
def test_a_band_is_left_by_more_than_its_width(
    band: DeadBand, reported: object, value: object, is_left: bool
) -> None:
    assert band.is_left(reported, value) == is_left


def test_reports_first_change_quality_and_heartbeat() -> None:
    report = ReportByException([DeadBand(1.0), DeadBand()], heartbeat_s=60.0)
    assert report.wants((10.0, 5), GOOD, 0.0)
    assert not report.wants((10.9, 5), GOOD, 10.0)
    assert report.wants((10.9, 6), GOOD, 20.0)
    assert report.wants((10.9, 6), BAD, 30.0)
    assert not report.wants((10.9, 6), BAD, 89.9)
    assert report.wants((10.9, 6), BAD, 90.0)


def test_reports_the_first_after_what_was_reported_no_longer_holds() -> None:
    report = ReportByException([DeadBand(1.0)], heartbeat_s=60.0)
    assert report.wants((10.0,), GOOD, 0.0)
    report.forget()
    assert report.wants((10.0,), GOOD, 1.0)


@given(st.lists(st.floats(-100, 100), min_size=1), st.floats(0, 20))
def test_what_is_shown_is_never_further_off_than_the_band(series: list[float], width: float) -> None:
    report = ReportByException([DeadBand(width)], heartbeat_s=1e9)
    shown = 0.0
    for number, value in enumerate(series):
        if report.wants((value,), GOOD, float(number)):
            shown = value
        assert abs(value - shown) <= width


@given(st.lists(st.floats(0.1, 30), min_size=1))
def test_no_two_reports_are_further_apart_than_heartbeat_and_sample(steps: list[float]) -> None:
    report = ReportByException([DeadBand(1.0)], heartbeat_s=60.0)
    assert report.wants((1.0,), GOOD, 0.0)
    at_s = reported_s = 0.0
    for step_s in steps:
        at_s += step_s
        if report.wants((1.0,), GOOD, at_s):
            reported_s = at_s
        assert at_s - reported_s < 60.0
