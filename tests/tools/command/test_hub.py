"""penstock hub, as a person types it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.status_io import read_status
from shared_schema.enums import Lane
from tests.fakes.table_cloud import TableCloud
from tests.hub.outbox.site import HUB, flows, site_at
from tests.tools.command.test_outbox import with_dead_letter
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


async def drained(folder: Path, more: str = "") -> tuple[int | None, str, str]:
    """Drain the outbox below folder into a cloud that takes everything; return the exit code and words."""
    path = folder / "site.toml"
    async with TableCloud({HUB: 1, "tank-1": 2}) as cloud:
        path.write_text(
            f'[hub]\ndevice_key = "{HUB}"\ndata_dir = "."\n{more}[clock]\ntrust = "system"\n'
            f'[cloud]\nurl = "{cloud.url}"\npublishable_key = "{cloud.api_key}"\n'
            f'device_secret = "{cloud.secret}"\n'
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.command", "hub", "drain", str(path), "--timeout", "30"),
            cwd=ROOT,
            env=os.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
    return process.returncode, said.decode(), complained.decode()


async def test_drain_says_that_the_outbox_is_empty(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
    code, said, _ = await drained(tmp_path)
    assert (code, said) == (0, "the outbox is empty: the cloud has everything\n")


async def test_drain_needs_attention_when_dead_letters_remain(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await with_dead_letter(site)
    code, said, complained = await drained(tmp_path, 'log_format = "json"\n')
    assert (code, said) == (3, "")
    *logged, sentence, command = complained.splitlines()
    assert sentence.startswith("1 dead letter is left, which the cloud refused")
    assert command == f"  penstock outbox dead-letter list {tmp_path / 'site.toml'}"
    assert logged
    assert all("message" in json.loads(line) for line in logged)


def test_status_of_a_hub_that_does_not_run_is_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hub", "status", str(config)]) == 1
    assert "no hub answers: No such file or directory (is it running?" in capsys.readouterr().err


def test_status_says_when_the_time_is_not_known(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with config.open("a") as file:
        file.write('[clock]\ntrust = "system"\n')
    command = [sys.executable, "-m", "tools.command", "hub", "run", str(config)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + START_S
        while main(["hub", "status", str(config), "--json"]) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        state = read_status(config.parent / "var")
        capsys.readouterr()
        main(["hub", "status", str(config)])
        assert "time:" not in capsys.readouterr().out
        process.terminate()
    monkeypatch.setattr("tools.command.hub.read_status", lambda _folder: {**state, "is_clock_known": False})
    main(["hub", "status", str(config)])
    assert "time: not known; readings wait" in capsys.readouterr().out
