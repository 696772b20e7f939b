from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pipeline.calibration import DatedCalibration, Linear, Table
from hub.pipeline.deadband import DeadBand
from hub.pipeline.device_pipeline import DevicePipeline
from hub.pipeline.settings import DeviceSettings, PointSettings
from hub.ports import Reading, Sample, Stamp
from shared_schema.enums import Quality, TimeQuality
from shared_schema.metrics import FLOW, TANK, Kind, Metric

START_MS = 1_800_000_000_000
WIDE = Kind(
    100,
    "wide",
    "telemetry_wide",
    tuple(Metric(1000 + i, f"m{i}", "", -1000, 1000, i % 4, "mean") for i in range(100)),
)


def tank(*points: PointSettings, **settings: object) -> DevicePipeline:
    return DevicePipeline(DeviceSettings("tank-1", TANK, points, interval_s=10.0, **settings))


def stamp(at_s: float, quality: int = TimeQuality.SYNCED) -> Stamp:
    return Stamp(START_MS + round(at_s * 1000), quality)


def give(pipeline: DevicePipeline, at_s: float, *values: object) -> Reading | None:
    return pipeline.accept(Sample("tank-1", at_s, values), stamp(at_s))


def reading(pipeline: DevicePipeline, at_s: float, *values: object) -> Reading:
    made = give(pipeline, at_s, *values)
    assert made is not None
    return made


LEVEL, PH, VOLUME = PointSettings("water_level_cm"), PointSettings("ph"), PointSettings("volume_l")


def test_puts_values_in_the_order_of_the_kind_with_the_decimals_of_the_metric() -> None:
    made = reading(tank(PH, VOLUME, LEVEL), 5.0, 7.1249, 1234.5, 99.96)
    assert made == Reading("tank-1", "tank", START_MS + 5000, (100.0, 1235, None, None, 7.12, None), 0, 0)
    assert isinstance(made.values[1], int)


def test_keeps_how_far_the_time_can_be_trusted() -> None:
    made = tank(PH).accept(Sample("tank-1", 5.0, (7.0,)), Stamp(5000, TimeQuality.PENDING))
    assert made is not None
    assert (made.recorded_at_ms, made.time_quality) == (5000, TimeQuality.PENDING)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (14.5, "above_range"),
        (-1, "below_range"),
        (nan, "not_a_number"),
        (inf, "not_a_number"),
        ("7", "wrong_type"),
    ],
)
def test_a_rejected_value_is_none_counted_and_makes_the_reading_bad(value: object, reason: str) -> None:
    pipeline = tank(PH, LEVEL)
    made = reading(pipeline, 5.0, value, 100.0)
    assert (made.values[4], made.values[0], made.quality) == (None, 100.0, Quality.BAD)
    assert pipeline.tally.rejected == {("ph", reason): 1}


def test_a_clamped_value_is_uncertain_and_counted() -> None:
    pipeline = tank(replace(PH, policy="clamp"))
    made = reading(pipeline, 5.0, 14.5)
    assert (made.values[4], made.quality) == (14.0, Quality.UNCERTAIN)
    assert pipeline.tally.rejected == {("ph", "clamped"): 1}


def test_a_point_that_could_not_be_read_makes_the_reading_bad() -> None:
    assert reading(tank(PH, LEVEL), 5.0, None, 100.0).quality == Quality.BAD


def test_a_sample_without_any_value_is_no_sign_of_life() -> None:
    pipeline = tank(PH, LEVEL)
    assert give(pipeline, 5.0, None, None) is None
    assert pipeline.staleness.heard_at_s is None
    assert (pipeline.tally.unread, pipeline.tally.readings) == (1, 0)


def test_a_sample_of_the_wrong_length_is_never_shifted_into_other_metrics() -> None:
    pipeline = tank(PH, LEVEL)
    made = reading(pipeline, 5.0, 7.0)
    assert made.quality == Quality.BAD
    assert set(made.values) == {None}
    assert pipeline.tally.rejected == {("*", "wrong_length"): 1}


def test_a_point_has_bounds_of_its_own() -> None:
    assert reading(tank(replace(LEVEL, high=300.0)), 5.0, 301.0).quality == Quality.BAD


plain_values = st.lists(
    st.one_of(st.floats(-2000, 2000), st.integers(-2000, 2000), st.none(), st.booleans(), st.just(nan)),
    min_size=100,
    max_size=100,
)


@given(plain_values, st.floats(0.1, 3), st.floats(-10, 10))
def test_the_short_way_and_the_long_way_arrive_at_the_same_reading(
    values: list[object], scale: float, offset: float
) -> None:
    line = Linear(scale, offset)
    plain = tuple(PointSettings(f"m{i}", calibrations=(DatedCalibration(line),)) for i in range(100))
    dated = tuple(replace(point, calibrations=(DatedCalibration(line, 0),)) for point in plain)
    made = [
        DevicePipeline(DeviceSettings("d", WIDE, points, 1.0)).accept(
            Sample("d", 1.0, tuple(values)), stamp(1.0)
        )
        for points in (plain, dated)
    ]
    assert made[0] == made[1]


@given(st.lists(st.floats(-1000, 1000), min_size=100, max_size=100))
def test_rounding_is_to_the_nearest_decimal(values: list[float]) -> None:
    points = tuple(PointSettings(f"m{i}") for i in range(100))
    made = DevicePipeline(DeviceSettings("d", WIDE, points, 1.0)).accept(
        Sample("d", 1.0, tuple(values)), stamp(1.0)
    )
    assert made is not None
    for metric, value, stored in zip(WIDE.fields, values, made.values, strict=True):
        assert isinstance(metric, Metric)
        assert isinstance(stored, (int, float))
        assert abs(stored - value) <= 0.5000001 * 10**-metric.decimals
        assert stored == round(stored, metric.decimals)


def test_applies_the_calibration_of_the_time_and_marks_one_that_is_out_of_date() -> None:
    first = DatedCalibration(Linear(2.0), None, stamp(100).recorded_at_ms)
    second = DatedCalibration(Linear(3.0), stamp(100).recorded_at_ms, stamp(200).recorded_at_ms)
    pipeline = tank(replace(LEVEL, calibrations=(first, second)))
    made = [reading(pipeline, at_s, 10.0) for at_s in (99, 100, 199, 200)]
    assert [one.values[0] for one in made] == [20.0, 30.0, 30.0, 30.0]
    assert [one.quality for one in made] == [0, 0, 0, Quality.UNCERTAIN]


def test_with_an_unknown_time_the_newest_of_several_calibrations_is_used_and_called_uncertain() -> None:
    dated = (DatedCalibration(Linear(2.0)), DatedCalibration(Linear(3.0), START_MS))
    pipeline = tank(replace(LEVEL, calibrations=dated))
    made = pipeline.accept(Sample("tank-1", 5.0, (10.0,)), Stamp(5000, TimeQuality.PENDING))
    assert made is not None
    assert (made.values[0], made.quality) == (30.0, Quality.UNCERTAIN)


def test_a_value_beyond_the_end_of_its_table_is_uncertain() -> None:
    dip = DatedCalibration(Table(((4.0, 0.0), (20.0, 160.0))))
    pipeline = tank(replace(LEVEL, calibrations=(dip,)))
    assert reading(pipeline, 1, 12.0)[3:5] == ((80.0, *[None] * 5), Quality.GOOD)
    assert reading(pipeline, 2, 20.5)[3:5] == ((165.0, *[None] * 5), Quality.UNCERTAIN)


def flow(*points: PointSettings, **settings: object) -> DevicePipeline:
    return DevicePipeline(DeviceSettings("tank-1", FLOW, points, interval_s=10.0, **settings))


TOTAL = PointSettings("cumulative_volume_l", wrap=1000.0)


def test_a_total_goes_on_over_a_wrap_and_says_when_it_is_held() -> None:
    pipeline = flow(TOTAL)
    made = [reading(pipeline, at_s, raw) for at_s, raw in ((0, 900), (10, 990), (20, 40), (30, 60))]
    assert [one.values[1] for one in made] == [900.0, 990.0, 990.0, 1060.0]
    assert [one.quality for one in made] == [0, 0, Quality.UNCERTAIN, 0]
    assert pipeline.tally.rejected == {("cumulative_volume_l", "held"): 1}


def test_a_wild_counter_value_out_of_range_does_not_move_the_total() -> None:
    pipeline = flow(replace(TOTAL, wrap=None, high=10_000.0))
    made = [reading(pipeline, at_s, raw) for at_s, raw in ((0, 900), (10, 1e9), (20, 905))]
    assert [one.values[1] for one in made] == [900.0, None, 905.0]


def test_a_total_goes_on_in_a_pipeline_that_took_over_its_state() -> None:
    before = flow(TOTAL)
    for at_s, raw in ((0, 990), (10, 40), (20, 60)):
        give(before, at_s, raw)
    after = flow(TOTAL)
    after.restore(before.counters)
    assert reading(after, 30, 70).values[1] == 1070.0


def test_a_window_makes_one_reading_at_its_end() -> None:
    pipeline = tank(LEVEL, VOLUME, window_s=60.0)
    assert [give(pipeline, at_s, at_s, 100 + at_s) for at_s in (0, 10, 20, 30, 40, 50)] == [None] * 6
    made = reading(pipeline, 60, 60.0, 160)
    assert (made.recorded_at_ms, made.values[:2], made.quality) == (
        START_MS + 60_000,
        (25.0, 125),
        Quality.GOOD,
    )


def test_values_are_rounded_after_the_window_and_not_before() -> None:
    pipeline = tank(LEVEL, window_s=60.0)
    for at_s in range(0, 60, 10):
        give(pipeline, at_s, 10.04)
    assert give(pipeline, 60, 1.0) == reading(_repeated(LEVEL, 10.04), 60, 1.0)
    sums = tank(replace(LEVEL, aggregate="sum"), window_s=60.0)
    for at_s in range(0, 60, 10):
        give(sums, at_s, 10.04)
    assert reading(sums, 60, 1.0).values[0] == 60.2


def _repeated(point: PointSettings, value: float) -> DevicePipeline:
    pipeline = tank(point, window_s=60.0)
    give(pipeline, 1, value)
    return pipeline


@pytest.mark.parametrize(
    ("second", "quality"), [(7.0, Quality.GOOD), (99.0, Quality.UNCERTAIN), (None, Quality.UNCERTAIN)]
)
def test_a_window_with_a_rejected_value_is_uncertain(second: float | None, quality: int) -> None:
    pipeline = tank(PH, LEVEL, window_s=60.0)
    give(pipeline, 1, 7.0, 1.0)
    give(pipeline, 2, second, 1.0)
    made = reading(pipeline, 61, 7.0, 1.0)
    assert (made.values[4], made.quality) == (7.0, quality)


def test_a_window_without_any_value_of_a_point_is_bad() -> None:
    pipeline = tank(PH, LEVEL, window_s=60.0)
    give(pipeline, 1, None, 1.0)
    made = reading(pipeline, 61, 7.0, 1.0)
    assert (made.values[4], made.values[0], made.quality) == (None, 1.0, Quality.BAD)


def test_time_alone_closes_a_window() -> None:
    pipeline = tank(PH, window_s=60.0)
    give(pipeline, 50, 7.0)
    assert pipeline.tick(stamp(61), 61.0) == []
    assert [one.recorded_at_ms for one in pipeline.tick(stamp(63), 63.0)] == [START_MS + 60_000]


def test_a_rolling_mean_is_reported_with_every_sample() -> None:
    pipeline = tank(replace(LEVEL, rolling_s=300.0))
    assert [reading(pipeline, at_s, value).values[0] for at_s, value in ((0, 10.0), (10, 20.0))] == [
        10.0,
        15.0,
    ]


def test_reports_only_what_left_its_dead_band() -> None:
    pipeline = tank(replace(LEVEL, dead_band=DeadBand(1.0)), PH, heartbeat_s=60.0)
    seen = [
        give(pipeline, at_s, level, 7.0) for at_s, level in ((0, 10.0), (10, 10.8), (20, 11.1), (30, 11.1))
    ]
    assert [one is not None for one in seen] == [True, False, True, False]
    assert pipeline.tally.suppressed == 2


def test_a_heartbeat_is_a_fresh_sample_never_an_old_one() -> None:
    pipeline = tank(replace(LEVEL, dead_band=DeadBand(1.0)), heartbeat_s=60.0, stale_after_s=1000.0)
    reading(pipeline, 0, 10.0)
    assert give(pipeline, 50.0, 10.1) is None
    assert pipeline.tick(stamp(61), 61.0) == []
    assert reading(pipeline, 59.9, 10.2).values[0] == 10.2


def test_silence_is_marked_once_and_the_first_sample_after_it_is_always_reported() -> None:
    pipeline = tank(replace(LEVEL, dead_band=DeadBand(1.0)), heartbeat_s=3600.0)
    reading(pipeline, 0, 10.0)
    assert pipeline.tick(stamp(30), 30.0) == []
    marks = pipeline.tick(stamp(31), 31.0)
    assert [(one.recorded_at_ms, set(one.values), one.quality) for one in marks] == [
        (START_MS + 31_000, {None}, Quality.BAD)
    ]
    assert pipeline.tick(stamp(32), 32.0) == []
    assert reading(pipeline, 40, 10.0).quality == Quality.GOOD
    assert not pipeline.staleness.is_stale


def test_silence_ends_the_window_before_it_is_marked() -> None:
    pipeline = tank(LEVEL, window_s=600.0)
    give(pipeline, 0, 10.0)
    made = pipeline.tick(stamp(31), 31.0)
    assert [(one.recorded_at_ms - START_MS, one.values[0], one.quality) for one in made] == [
        (0, 10.0, Quality.GOOD),
        (31_000, None, Quality.BAD),
    ]


def test_a_device_that_never_answered_is_marked_too() -> None:
    pipeline = tank(LEVEL)
    assert pipeline.tick(stamp(0), 0.0) == []
    assert [one.quality for one in pipeline.tick(stamp(31), 31.0)] == [Quality.BAD]


def test_nothing_of_an_open_window_is_kept_back_at_the_end() -> None:
    pipeline = tank(LEVEL, window_s=600.0)
    give(pipeline, 5, 10.0)
    assert [one.values[0] for one in pipeline.cut(6.0)] == [10.0]
    assert pipeline.cut(7.0) == []
