import json
import os
from pathlib import Path

import pytest

from hub.errors import TryAgain
from hub.uplink.directory import DAMAGED, FOREIGN, KEPT, PAGE, Directory
from hub.uplink.exchange import Answer, Request
from hub.uplink.file_io import SmallFile
from hub.uplink.outcome import Outcome, Reaction

CLOUD = "https://abc.supabase.co"


def page(first: int, last: int) -> Answer:
    rows = [{"id": number, "device_key": f"d{number}"} for number in range(first, last + 1)]
    return Answer(200, json.dumps(rows).encode())


def test_reads_page_by_page_and_takes_effect_as_a_whole() -> None:
    directory = Directory(CLOUD)
    assert "id=gt.0&" in directory.first_page("token").path
    step = directory.take(page(1, PAGE))
    assert isinstance(step, Request)
    assert f"id=gt.{PAGE}&" in step.path
    assert not directory.ids
    end = directory.take(page(PAGE + 1, PAGE + 5))
    assert isinstance(end, Outcome)
    assert end.reaction is Reaction.STORED
    assert (len(directory.ids), directory.ids["d1005"]) == (PAGE + 5, 1005)


def test_forgets_devices_that_are_gone() -> None:
    directory = Directory(CLOUD)
    for answer in (page(1, 3), page(2, 2)):
        directory.first_page("token")
        directory.take(answer)
    assert dict(directory.ids) == {"d2": 2}


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"id":"1","device_key":"a"}]', b'[{"id":1}]'])
def test_keeps_what_it_has_when_the_answer_is_no_directory(body: bytes) -> None:
    directory = Directory(CLOUD)
    directory.take(page(1, 2))
    directory.first_page("token")
    outcome = directory.take(Answer(200, body))
    assert isinstance(outcome, Outcome)
    assert outcome.reaction is Reaction.AGAIN
    assert dict(directory.ids) == {"d1": 1, "d2": 2}


def test_outlives_a_restart_but_not_a_move_to_another_cloud() -> None:
    directory = Directory(CLOUD)
    directory.take(page(1, 2))
    same, other = Directory(CLOUD), Directory("https://xyz.supabase.co")
    assert same.read_json(directory.to_json()) == KEPT
    assert same.ids == directory.ids
    assert other.read_json(directory.to_json()) == FOREIGN
    assert not other.ids


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"\xff", b'{"cloud":"https://abc.supabase.co","devices":{"a":"1"}}', b'{"devices":{}}'],
)
def test_starts_empty_from_a_damaged_file(text: bytes) -> None:
    directory = Directory(CLOUD)
    assert directory.read_json(text) == DAMAGED
    assert not directory.ids


async def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = SmallFile(tmp_path / "directory.json")
    assert await file.read() is None
    await file.replace(b"one")
    await file.replace(b"two")
    assert await file.read() == b"two"
    assert os.listdir(tmp_path) == ["directory.json"]  # noqa: PTH208


async def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = SmallFile(tmp_path / "directory.json")
    await file.replace(b"one")
    (tmp_path / "directory.json.new").mkdir()
    with pytest.raises(TryAgain, match="cannot write"):
        await file.replace(b"two")
    assert await file.read() == b"one"
    with pytest.raises(TryAgain, match="cannot read"):
        await SmallFile(tmp_path / "directory.json.new").read()
