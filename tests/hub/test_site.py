"""What a configuration means."""

from pathlib import Path

import pytest

from hub.config import load
from hub.errors import ConfigError
from hub.site import Site, describe, open_site

HEAD = """
[hub]
device_key = "site-7-hub"
data_dir = "var"
[[bus]]
name = "field"
port = "/dev/serial/by-id/usb-adapter"
[[bus]]
name = "plant"
host = "127.0.0.1"
"""


def site_of(folder: Path, text: str) -> Site:
    path = folder / "site.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return describe("site.toml", load(path))


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        site_of(folder, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_profile_gives_points_and_the_file_what_is_special_here(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        """
[[transmitter]]
device_key = "meter-1"
bus = "field"
address = 3
profile = "nivus-flow"
interval_s = 2.0
max_registers = 20
turnaround_ms = 15
[transmitter.metric.flow_rate_lpm]
low = 0
dead_band = 0.5
calibration = [{ scale = 1.02, offset = -1.0, valid_from = 2026-01-01 }]
""",
    )

    (transmitter,) = site.by_bus()[0][1]
    assert (transmitter.limits.max_registers, transmitter.limits.turnaround_s) == (20, 0.015)
    (device,) = site.devices
    assert device.kind.name == "flow"
    flow = next(point for point in device.points if point.metric == "flow_rate_lpm")
    assert flow.low == 0
    assert flow.dead_band is not None
    assert flow.calibrations[0].calibration.apply(100) == pytest.approx(101)
    assert flow.calibrations[0].valid_from_ms == 1_767_225_600_000


def test_own_points_need_no_profile_and_buses_keep_their_transports(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        """
[[transmitter]]
device_key = "tank-1"
bus = "plant"
address = 4
kind = "tank"
point = [{ metric = "water_level_cm", address = 3, type = "i16", scale = 0.1 }]
""",
    )

    assert [bus.transport for bus in site.buses] == ["serial", "tcp"]
    assert site.by_bus()[1][1][0].points[0].scale == 0.1


def test_names_every_mistake_that_only_the_features_know(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path,
        """
[[transmitter]]
device_key = "a"
bus = "field"
address = 1
profile = "no-such-thing"
[[transmitter]]
device_key = "b"
bus = "field"
address = 2
kind = "tank"
point = [{ metric = "colour", address = 3, type = "u17" }]
[[transmitter]]
device_key = "c"
bus = "field"
address = 3
profile = "nivus-flow"
[transmitter.metric.ph]
low = 3
[[transmitter]]
device_key = "d"
bus = "field"
address = 4
profile = "nivus-flow"
[transmitter.metric.flow_rate_lpm]
low = 5
high = 4
[[transmitter]]
device_key = "e"
bus = "field"
address = 5
profile = "nivus-flow"
[transmitter.metric.flow_rate_lpm]
calibration = [{ type = "polynomial", coefficients = [0, 0, 1], raw_low = -1, raw_high = 1 }]
""",
    )

    for expected in (
        "transmitter[0] of a: profile no-such-thing: no such profile (there are ",
        "transmitter[1] of b: point[0].metric: no metric 'colour'",
        "transmitter[1] of b: point[0].type: no type 'u17'",
        "transmitter[2] of c: metric.ph: is not measured here (it measures flow_rate_lpm",
        "transmitter[3] of d: flow_rate_lpm: its range from 5 to 4 is empty",
        "transmitter[4] of e: the polynomial turns around",
    ):
        assert any(expected in problem for problem in problems), expected


def test_a_counter_that_is_not_totalled_does_not_wrap(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        """
[[transmitter]]
device_key = "meter-1"
bus = "field"
address = 3
kind = "flow"
point = [{ metric = "cumulative_volume_l", address = 0, type = "u32", wrap = 4294967296 }]
[transmitter.metric.cumulative_volume_l]
aggregate = "last"
""",
    )

    assert site.devices[0].points[0].wrap is None


def test_mistakes_in_format_and_in_meaning_are_named_together(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        HEAD.replace('data_dir = "var"', 'data_dir = "var"\nheartbeat_s = -1')
        + """
[[transmitter]]
device_key = "a"
bus = "field"
address = 1
profile = "no-such-thing"
[[transmitter]]
device_key = "b"
bus = "field"
address = "x"
profile = "no-such-thing-either"
""",
        encoding="utf-8",
    )

    with pytest.raises(ConfigError) as caught:
        open_site(path)

    keys = [problem.key for problem in caught.value.problems]
    assert keys == [
        "hub.heartbeat_s",
        "transmitter[1].address of b",
        "transmitter[0] of a: profile no-such-thing",
    ]
