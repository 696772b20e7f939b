"""Words for nodes: every mistake is said before anything is written, and what is written a node can take."""

import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.node.orders import NAMES, arguments_of
from hub.nodes.commands import CommandEntry
from hub.nodes.commands_io import COMMANDS_FILE, CommandsFile
from hub.nodes.orders import WAITING_MOST
from hub.nodes.registry import PENDING, Node
from hub.nodes.registry_io import RegistryFile
from tests.hub.nodes.site import approve
from tools.command import node_command, node_list
from tools.command.__main__ import main
from tools.command.node_words import SENTENCES, meant_by

CALIBRATE = ("kind=tank", "metric=ph", "scale_ppm=1002000", "offset=-5")


def tell(folder: Path, *words: str) -> int:
    return main(["node", "command", *words, "--site", str(folder)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    approve(tmp_path, "tank-1")
    return tmp_path


def test_the_commands_are_those_of_the_firmware_but_for_update() -> None:
    assert [name.replace("_", "-") for name, _ in NAMES if name != "update"] == list(SENTENCES)


@pytest.mark.parametrize("command", ["calibrate", "sample-now", "sample_now"])
def test_words_become_what_a_node_takes(command: str) -> None:
    meant = meant_by(command, CALIBRATE if command == "calibrate" else ())
    wanted = {"kind": "tank", "metric": "ph", "scale_ppm": 1_002_000, "offset": -5}
    assert meant.problems == []
    assert meant.name == command.replace("-", "_")
    assert arguments_of(meant.name, meant.arguments) == (wanted if command == "calibrate" else {})


WORDS = st.sampled_from([
    "kind=tank", "kind=deep", "kind=", "metric=ph", "interval_s=5", "interval_s=86401", "interval_s=-",
    "value=1", "value=2", "value=٣", "name=pump", "offset=-7", "scale_ppm=1e6", "scale_ppm=9", "x", "=",
])  # fmt: skip


@given(st.sampled_from(sorted(SENTENCES)), st.lists(WORDS, max_size=5))
def test_what_is_let_through_a_node_understands(command: str, words: list[str]) -> None:
    meant = meant_by(command, words)
    if not meant.problems:
        arguments_of(meant.name, meant.arguments)  # raises CannotDo for what it does not


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dance",), "dance: is no command of a node (there are identify, reboot, sample-now, set-interval,"),
        (("update",), "update: is no command of a node"),
        (("identify", "now=1"), "now=1: says nothing to identify (say identify)"),
        (("set-output", "pump"), "pump: says nothing to set-output (say set-output name=NAME value=0..1)"),
        (("set-output", "name=pump", "value=2"), "value=2: is not a whole number from 0 to 1"),
        (("set-output", "value=1"), "set-output: name is missing (say set-output name=NAME value=0..1)"),
        (("set-interval", "kind=tonk", "interval_s=5"), "kind=tonk: is no kind of readings (there are tank,"),
        (("set-interval", "kind=tank", "kind=flow", "interval_s=5"), "kind=flow: kind was said before"),
        (
            ("calibrate", "kind=tank", "metric=flow", *CALIBRATE[2:]),
            "metric=flow: is no metric of tank (there",
        ),
        (("set-output", f"name={'p' * 1000}", "value=1"), "takes arguments of 1000 bytes at most"),
        (("identify", "--wait", "4"), "--wait: 4 is out of range (use 5 to 2592000)"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert tell(folder, "tank-1", *words) == 2
    assert said in capsys.readouterr().err
    assert not (folder / COMMANDS_FILE).exists()


def test_all_mistakes_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(folder, "tank-9", "set-interval", "interval_s=0", "x=1", "--wait", "1") == 2
    said = capsys.readouterr().err
    for problem in ("no such node", "interval_s=0", "x=1", "kind is missing", "--wait"):
        assert problem in said


def test_a_node_that_is_not_approved_is_told_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RegistryFile(folder).edit(
        lambda registry: registry.with_node("tank-2", Node(PENDING)).approved("tank-3").revoked("tank-3")
    )
    for key, why in (
        ("tank-2", "waits for approval"),
        ("tank-3", "is revoked"),
        ("tank-4", "there is no such"),
    ):
        assert tell(folder, key, "identify") == 2
        assert f"{key}: {why}" in capsys.readouterr().err
    assert not (folder / COMMANDS_FILE).exists()


def test_without_a_hub_it_waits_for_one_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_list, "_PATIENCE_S", 0.0)
    assert tell(folder, "tank-1", "identify") == 3
    assert "no hub listens for nodes here; one that starts in time carries it out" in capsys.readouterr().out
    (entry,) = CommandsFile(folder).load().given.values()
    assert (entry.device_key, entry.name, entry.state) == ("tank-1", "identify", "waiting")


def test_more_than_a_node_remembers_do_not_wait_for_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = CommandEntry("tank-1", "identify", "{}", 60, 2**52)
    for number in range(1, WAITING_MOST + 1):
        CommandsFile(folder).edit(lambda before, number=number: before.with_new(number, entry, 0))
    assert tell(folder, "tank-1", "identify") == 1
    assert "16 commands wait for it" in capsys.readouterr().err


def test_a_spoilt_file_is_an_error_with_a_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / COMMANDS_FILE).write_bytes(b"{}")
    assert tell(folder, "tank-1", "identify") == 1
    assert "remove it, and give the commands again" in capsys.readouterr().err


def test_help_names_every_command_with_its_arguments() -> None:
    parser = argparse.ArgumentParser()
    node_command.register(groups := parser.add_subparsers())
    text = groups.choices["command"].format_help()
    assert "set-interval kind=KIND interval_s=1..86400" in text
    assert all(f"\n  {name}" in text for name in SENTENCES)
