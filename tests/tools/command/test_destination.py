"""What cannot be written is said before the work, not after it."""

from pathlib import Path

import pytest

from tools.command.__main__ import main


@pytest.mark.parametrize("command", ["demo", "bench"])
def test_a_result_that_cannot_be_kept_stops_the_command_at_its_start(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--json", str(tmp_path / "missing" / "out.json")]) == 2
    said = capsys.readouterr()
    assert "out.json: cannot be written: No such file or directory" in said.err
    assert not said.out


def test_a_file_is_no_folder_to_keep_things_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--keep", str(tmp_path / "file")]) == 2
    assert "file: cannot be a folder: File exists" in capsys.readouterr().err


def test_a_benchmark_of_no_size_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "outbox", "--scale", "nan"]) == 2
    assert "--scale: nan: is not more than 0 and at most 1000" in capsys.readouterr().err
