"""A configuration that is bad never replaces one that works, whatever it does to the node."""

import json
from pathlib import Path

import pytest

from firmware.node.configuration import Configuration
from shared_schema.messages import ConfigState

FLOW = json.dumps({"kinds": {"flow": {"interval_s": 7, "sensors": [{"driver": "pulse_flow"}]}}})
TANK = json.dumps({"kinds": {"tank": {"sensors": [{"driver": "a02yyuw"}]}}})


@pytest.fixture
def root(tmp_path: Path) -> str:
    return f"{tmp_path}/"


def kinds(configuration: Configuration) -> list[str]:
    return [rhythm.kind.name for rhythm in configuration.settings.rhythms]


def test_the_plan_of_the_set_up_holds_until_a_hub_says_otherwise(root: str) -> None:
    configuration = Configuration(root, TANK)
    assert (configuration.version, kinds(configuration)) == (0, ["tank"])
    configuration.want(3, FLOW)
    assert kinds(configuration) == ["tank"]
    configuration.begin_trial()
    configuration.keep()
    assert (configuration.version, kinds(configuration)) == (3, ["flow"])
    assert configuration.report.state == ConfigState.APPLIED

    again = Configuration(root, TANK)
    assert (again.version, kinds(again)) == (3, ["flow"])


def test_one_that_cannot_be_read_is_refused_at_once(root: str) -> None:
    configuration = Configuration(root, TANK)
    configuration.want(3, '{"kinds": {"lake": {}}}')
    assert configuration.wanted is None
    assert (configuration.report.version, configuration.report.state) == (3, ConfigState.REFUSED)
    assert "kinds.lake: is not known" in configuration.report.text


def test_one_whose_trial_fails_is_rolled_back(root: str) -> None:
    configuration = Configuration(root, TANK)
    configuration.want(3, FLOW)
    configuration.begin_trial()
    configuration.roll_back("no such pin")
    assert (configuration.version, kinds(configuration)) == (0, ["tank"])
    assert (configuration.report.state, configuration.report.text) == (ConfigState.REFUSED, "no such pin")
    assert Configuration(root, TANK).version == 0


def test_one_that_takes_the_node_down_is_refused_after_the_restart_and_a_newer_one_is_tried(
    root: str,
) -> None:
    before = Configuration(root, TANK)
    before.want(3, FLOW)
    before.begin_trial()

    after = Configuration(root, TANK)
    assert after.version == 0
    after.want(3, FLOW)
    assert after.wanted is None
    assert (after.report.version, after.report.state) == (3, ConfigState.REFUSED)
    after.want(4, FLOW)
    after.begin_trial()
    after.keep()
    assert Configuration(root, TANK).version == 4


def test_one_that_holds_already_is_confirmed_again(root: str) -> None:
    configuration = Configuration(root, TANK)
    configuration.want(3, FLOW)
    configuration.begin_trial()
    configuration.keep()
    configuration.report = None
    configuration.want(3, FLOW)
    assert configuration.wanted is None
    assert configuration.report.state == ConfigState.APPLIED


@pytest.mark.parametrize("content", ["", "[]", "{", '{"version": 3}', '{"version": 3, "document": "x"}'])
def test_a_damaged_file_leaves_the_plan_of_the_set_up(root: str, content: str) -> None:
    Path(root, "config.json").write_text(content, encoding="utf-8")
    configuration = Configuration(root, TANK)
    assert (configuration.version, kinds(configuration)) == (0, ["tank"])
