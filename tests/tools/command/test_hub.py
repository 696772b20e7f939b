"""penstock hub, as a person types it."""

from pathlib import Path

import pytest

from tools.command.__main__ import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text('[hub]\ndevice_key = "hub"\ndata_dir = "var"\n', encoding="utf-8")
    return path


def test_drain_needs_somewhere_to_drain_to(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "drain", str(config)]) == 2
    assert "cloud: is missing" in capsys.readouterr().err


@pytest.mark.parametrize("timeout", ["nan", "-1", "0", "soon"])
def test_drain_refuses_a_timeout_that_is_none(
    timeout: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["hub", "drain", str(config), "--timeout", timeout])
    assert f"{timeout!r} is not within" in capsys.readouterr().err


def test_status_of_a_hub_that_does_not_run_is_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hub", "status", str(config)]) == 1
    assert "no hub answers: No such file or directory (is it running?" in capsys.readouterr().err
