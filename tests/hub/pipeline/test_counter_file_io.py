from pathlib import Path

import pytest

from hub.pipeline.counter import CounterState
from hub.pipeline.counter_file_io import CounterFile

STATES = {
    "meter-1/entries": CounterState(1.5, 2.0, 3.0, 1e12),
    "meter-2/exits": CounterState(0.0, 0.0, 1.0, 7.0),
}


def test_gives_back_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    CounterFile(path).save({"old": CounterState(1.0, 1.0, 1.0, 1.0)})
    CounterFile(path).save(STATES)
    assert CounterFile(path).load() == STATES
    assert [file.name for file in tmp_path.iterdir()] == ["counters.json"]


def test_no_file_is_no_counters(tmp_path: Path) -> None:
    assert CounterFile(tmp_path / "none.json").load() == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"a": 1}', '{"a": [1, 2]}', '{"a": ["x", 1, 2, 3]}', "\0\0"]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: str) -> None:
    path = tmp_path / "counters.json"
    path.write_text(content)
    store = CounterFile(path)
    assert store.load() == {}
    store.save(STATES)
    assert store.load() == STATES
    assert path.with_suffix(".damaged").read_text() == content


def test_a_folder_that_is_gone_is_told_and_nothing_breaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    CounterFile(tmp_path / "gone" / "counters.json").save(STATES)
    assert "could not be saved" in caplog.text
