"""Who is known, in memory and in the file that hub and command line share."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from hub.nodes.keys import SITE_KEY_FILE, format_site_key, parse_site_key
from hub.nodes.limits import FAILURES_PER_MINUTE, UNPROVED_MOST, UNPROVED_PER_ADDRESS, Door, Ration
from hub.nodes.registry import APPROVED, PENDING, PENDING_MOST, Node, Registry, decode, encode
from hub.nodes.registry_io import RegistryFile
from hub.nodes.site_key_io import ensure_site_key, read_site_key


def test_forgets_the_oldest_of_too_many_that_wait() -> None:
    registry = Registry().approved("old-friend")
    for number in range(PENDING_MOST + 50):
        registry = registry.seen(f"node-{number}", Node(PENDING, seen_at_ms=number))
    waiting = registry.having(PENDING)
    assert len(waiting) == PENDING_MOST
    assert "node-49" not in waiting
    assert "node-50" in waiting
    assert registry.nodes["old-friend"].state == APPROVED


def test_the_file_brings_back_what_was_written(tmp_path: Path) -> None:
    file = RegistryFile(tmp_path)
    assert file.load() == Registry()
    before = file.mark()
    written = file.edit(lambda registry: registry.approved("tank-1", 3).configured("tank-1", '{"a": 1}'))
    assert file.load() == written == decode(encode(written))
    assert written.nodes["tank-1"] == Node(APPROVED, generation=3, config_version=1, config='{"a": 1}')
    assert file.mark() != before


def test_edits_of_several_at_once_lose_nothing(tmp_path: Path) -> None:
    def approve(first: int) -> None:
        for number in range(first, first + 10):
            RegistryFile(tmp_path).edit(lambda registry: registry.approved(f"node-{number}"))  # noqa: B023

    threads = [threading.Thread(target=approve, args=(first,)) for first in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(RegistryFile(tmp_path).load().nodes) == 40


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "not a list of nodes"),
        ('{"format": 9, "nodes": {}}', "not a list of nodes"),
        ('{"format": 1, "nodes": {"Ä": {"state": "approved"}}}', "not a node with a state"),
        ('{"format": 1, "nodes": {"a": {"state": "welcome"}}}', "not a node with a state"),
        ('{"format": 1, "nodes": {"a": {"state": "approved", "generation": "2"}}}', "generation of a"),
    ],
)
def test_says_what_is_wrong_with_the_file(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "nodes.json").write_text(content, encoding="utf-8")
    with pytest.raises(OperatorNeeded, match=reason):
        RegistryFile(tmp_path).load()
    with pytest.raises(OperatorNeeded):
        RegistryFile(tmp_path).edit(lambda registry: registry)
    assert (tmp_path / "nodes.json").read_text(encoding="utf-8") == content


def test_a_file_with_more_than_this_hub_knows_is_read(tmp_path: Path) -> None:
    document = {"format": 1, "nodes": {"a": {"state": "approved", "colour": "blue"}}}
    (tmp_path / "nodes.json").write_text(json.dumps(document))
    assert RegistryFile(tmp_path).load().nodes["a"] == replace(Node(APPROVED))


def test_makes_a_site_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = ensure_site_key(tmp_path)
    assert ensure_site_key(tmp_path) == read_site_key(tmp_path) == key
    assert (tmp_path / SITE_KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SITE_KEY_FILE]
    assert parse_site_key(format_site_key(key)) == key


def test_refuses_a_site_key_that_others_can_read_or_that_is_none(tmp_path: Path) -> None:
    key = ensure_site_key(tmp_path)
    (tmp_path / SITE_KEY_FILE).chmod(0o640)
    with pytest.raises(OperatorNeeded, match="chmod 600"):
        read_site_key(tmp_path)
    (tmp_path / SITE_KEY_FILE).chmod(0o600)
    (tmp_path / SITE_KEY_FILE).write_text(key.hex()[:-2])
    with pytest.raises(OperatorNeeded, match="64 hexadecimal") as error:
        read_site_key(tmp_path)
    assert key.hex()[:8] not in str(error.value)


def test_the_door_bounds_everybody_and_forgets() -> None:
    door = Door()
    for number in range(UNPROVED_PER_ADDRESS):
        assert not door.turns_away("10.0.0.1", number)
    assert door.turns_away("10.0.0.1", 0)
    for number in range(UNPROVED_MOST - UNPROVED_PER_ADDRESS):
        assert not door.turns_away(f"10.0.1.{number}", 0)
    assert door.turns_away("10.0.2.1", 0)
    door.leaves("10.0.0.1")
    assert not door.turns_away("10.0.2.1", 0)


def test_an_address_that_fails_too_often_waits_a_minute() -> None:
    door = Door()
    for _ in range(FAILURES_PER_MINUTE):
        assert not door.turns_away("10.0.0.1", 5.0)
        door.leaves("10.0.0.1")
        door.fails("10.0.0.1", 5.0)
    assert door.turns_away("10.0.0.1", 64.0)
    assert not door.turns_away("10.0.0.2", 64.0)
    assert not door.turns_away("10.0.0.1", 65.0)


def test_a_ration_fills_again_over_an_hour() -> None:
    ration = Ration(60, 0.0)
    assert [ration.take(0.0) for _ in range(61)] == [True] * 60 + [False]
    assert ration.take(61.0)
    assert not ration.take(61.0)
