from dataclasses import replace

import pytest

from hub.pipeline.calibration import DatedCalibration, Linear, Table
from hub.pipeline.settings import DeviceSettings, PointSettings
from shared_schema.metrics import FLOW, HEARTBEAT, TANK

LEVEL = PointSettings("water_level_cm")
TOTAL = PointSettings("cumulative_volume_l")
TANK_ONE = DeviceSettings("tank-1", TANK, (LEVEL,), interval_s=10.0)


@pytest.mark.parametrize(
    ("kind", "points", "reason"),
    [
        (HEARTBEAT, (PointSettings("cpu_percent"),), "heartbeat is not a kind of telemetry"),
        (TANK, (), "no points"),
        (TANK, (PointSettings("flow_rate_lpm"),), "flow_rate_lpm: a tank has .*water_level_cm"),
        (TANK, (LEVEL, LEVEL), "water_level_cm: two points"),
        (TANK, (replace(LEVEL, low=6000.0),), "water_level_cm: its range from 6000 to 5000 is empty"),
        (TANK, (replace(LEVEL, high=5001.0),), "water_level_cm: its range must lie within 0 to 5000"),
        (TANK, (replace(LEVEL, aggregate="median"),), "water_level_cm: aggregate 'median' is none of mean"),
        (TANK, (replace(LEVEL, wrap=1000.0),), 'water_level_cm: only a metric with aggregate "total" wraps'),
        (FLOW, (replace(TOTAL, wrap=0.0),), "cumulative_volume_l: it must wrap at a value above 0"),
        (FLOW, (replace(TOTAL, rolling_s=300.0),), "cumulative_volume_l: a total has no rolling mean"),
        (
            FLOW,
            (replace(TOTAL, calibrations=(DatedCalibration(Table(((0.0, 0.0), (1.0, 2.0)))),)),),
            "only linear calibrations with a scale above 0",
        ),
        (
            FLOW,
            (replace(TOTAL, calibrations=(DatedCalibration(Linear(-1.0)),)),),
            "only linear calibrations with a scale above 0",
        ),
    ],
)
def test_refuses_points_that_do_not_fit(kind: object, points: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(TANK_ONE, kind=kind, points=points)


def test_tells_every_problem_at_once() -> None:
    wrong = (replace(LEVEL, wrap=1.0, low=9000.0), PointSettings("depth"))
    with pytest.raises(ValueError, match=r"depth: .*; water_level_cm: its range.*; water_level_cm: only"):
        replace(TANK_ONE, points=wrong)


@pytest.mark.parametrize(
    ("interval_s", "stale_after_s", "limit_s"), [(10.0, None, 30.0), (0.1, None, 5.0), (10.0, 12.0, 12.0)]
)
def test_silence_is_three_missed_intervals_unless_said(
    interval_s: float, stale_after_s: float | None, limit_s: float
) -> None:
    device = replace(TANK_ONE, interval_s=interval_s, stale_after_s=stale_after_s)
    assert device.stale_limit_s == limit_s
