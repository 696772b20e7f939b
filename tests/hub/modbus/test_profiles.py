"""Profiles: those that come with the hub, and what is said of wrong ones."""

from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.modbus.plan import plan
from hub.modbus.profiles import parse_points, parse_profile
from hub.modbus.profiles_io import load_profile, profile_names
from hub.modbus.requests import serial_cost

KINDS = {"flow", "power", "tank", "deep", "environment"}


@pytest.mark.parametrize("name", profile_names())
def test_a_shipped_profile_is_whole_and_says_where_it_is_from(name: str) -> None:
    profile = load_profile(name)
    assert len(profile.source) > 80
    assert plan(profile.factory.address, profile.points, serial_cost(profile.factory.baud), profile.limits)


def test_there_are_enough_of_them_for_every_kind_of_transmitter() -> None:
    profiles = [load_profile(name) for name in profile_names()]
    assert len(profiles) >= 8
    assert {profile.kind for profile in profiles} == KINDS


def test_everything_wrong_is_said_at_once() -> None:
    document = {
        "title": "x",
        "kind": "flow",
        "colour": "red",
        "bus": {"baud": 0, "parity": "mark", "address": 300},
        "limits": {"max_registers": 200},
        "point": [
            {"metric": "flow_rate_lpm", "address": 70_000, "type": "u16"},
            {"metric": "happiness", "address": 0, "type": "float32", "order": "ABBA"},
            {"metric": "pressure_bar", "address": 1, "type": "word"},
            {"metric": "pressure_bar", "address": 1, "type": "u16", "scale": 0, "bit": 17},
            {"address": "one"},
        ],
    }
    with pytest.raises(ConfigError) as caught:
        parse_profile("wrong", document)
    said = str(caught.value)
    for expected in (
        "source: is missing",
        "colour: is unknown",
        "bus.baud",
        "bus.parity",
        "bus.address",
        "limits.max_registers",
        "point[0].address",
        "no metric 'happiness'",
        "point[1].order",
        "no type 'word'",
        "two points",
        "point[3].scale",
        "point[3].bit",
        "point[4].metric: is missing",
        "point[4].type: is missing",
        "point[4].address",
    ):
        assert expected in said


def test_a_kind_that_is_not_measured_is_refused() -> None:
    with pytest.raises(ConfigError, match="loss"):
        parse_points("loss", [{"metric": "cause", "address": 0, "type": "u16"}], "site.toml")


def test_a_site_may_bring_its_own_profiles(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'title = "t"\nkind = "tank"\nsource = "s"\n[[point]]\nmetric = "ph"\naddress = 1\ntype = "u16"\n'
    )
    assert load_profile("mine", [tmp_path]).points[0].metric == "ph"
    (tmp_path / "broken.toml").write_text("title = ")
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        load_profile("broken", [tmp_path])
    with pytest.raises(ConfigError, match="no such profile"):
        load_profile("nobody", [tmp_path])
