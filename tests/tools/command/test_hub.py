"""penstock hub, as a person types it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.command.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
START_S = 30.0


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


def test_an_interrupted_drain_does_not_say_that_it_is_done(config: Path) -> None:
    nobody = 'url = "http://127.0.0.1:9"\npublishable_key = "x"\ndevice_secret = "x"\n'
    config.write_text(f"{config.read_text(encoding='utf-8')}[cloud]\n{nobody}", encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tools.command", "hub", "drain", str(config)],
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline_s = time.monotonic() + START_S
        while not (config.parent / "var" / "hub.sock").exists() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=START_S)[1]
    assert process.returncode == 1
    assert "interrupted before everything was uploaded" in said


def test_status_of_a_hub_that_does_not_run_is_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hub", "status", str(config)]) == 1
    assert "no hub answers: No such file or directory (is it running?" in capsys.readouterr().err
