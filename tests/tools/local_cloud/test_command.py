"""penstock cloud, as a person types it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.local_cloud.hub import Hub
from tools.command import cloud_target
from tools.command.__main__ import main
from tools.local_cloud.node_io import ROOT
from tools.local_cloud.process_io import CloudProcess

STOP_S = 30


@pytest.fixture(autouse=True)
def _no_cloud_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_target, "RUNNING", tmp_path / "running.json")
    monkeypatch.delenv("SUPABASE_URL", raising=False)
    monkeypatch.delenv("SUPABASE_SECRET_KEY", raising=False)


@pytest.fixture
def target(local_cloud: CloudProcess) -> list[str]:
    return ["--url", local_cloud.url, "--secret-key", local_cloud.secret_key]


@pytest.fixture
def started() -> Iterator[subprocess.Popen[str]]:
    """`penstock cloud local`, fresh, on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.command", "cloud", "local", "--fresh", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        if process.poll() is None:
            process.kill()


def test_registers_a_hub_and_what_is_behind_it(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    key = hub.key + "-2"
    assert main(["cloud", "register", key, "--kind", "hub", *target]) == 0
    secret = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("secret: "))[8:]
    assert hub.ask_for_token(secret, key).status == 200
    assert main(["cloud", "register", key + "-tank", "--kind", "tank", "--hub", key, *target]) == 0
    assert f"{key} may send its rows" in capsys.readouterr().out


def test_completeness_says_by_its_exit_code_that_a_row_is_missing(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.send([hub.row(1)])
    assert main(["cloud", "completeness", hub.tank_key, *target]) == 0
    hub.send([hub.row(3)])
    capsys.readouterr()
    assert main(["cloud", "completeness", hub.tank_key, *target]) == 3
    head, line = capsys.readouterr().out.splitlines()
    row = dict(zip(head.split(), line.split(), strict=True))
    assert (row["device"], row["rows"], row["last"], row["gaps"]) == (hub.tank_key, "2", "3", "1")
    assert main(["cloud", "verdict", hub.tank_key, "--json", *target]) == 3
    assert json.loads(capsys.readouterr().out)[0]["rows_unexplained"] == 1


def test_a_device_without_rows_has_none_yet(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", "completeness", hub.tank_key, *target]) == 0
    assert capsys.readouterr().out == "no rows yet\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["register", "Tank", "--kind", "tank"], 1, "cannot be a device key"),
        (["register", "tank", "--kind", "tank", "--hub", "nobody"], 1, 'no hub with the key "nobody"'),
        (["revoke", "nobody"], 1, "there is no device 'nobody'"),
        (["completeness", "nobody"], 1, "there is no device 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], code: int, sentence: str, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", *arguments, *target]) == code
    assert sentence in capsys.readouterr().err


def test_a_wrong_secret_key_is_named(local_cloud: CloudProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cloud", "completeness", "--url", local_cloud.url, "--secret-key", "sb_secret_no"]) == 1
    assert "check the secret key" in capsys.readouterr().err


def test_a_cloud_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cloud", "completeness"]) == 2
    assert "penstock cloud local" in capsys.readouterr().err
    assert main(["cloud", "completeness", "--url", "http://127.0.0.1:9", "--secret-key", "x"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["notaurl", "http://[::bad", "http://a:99999", "http://a/b c", "ftp://a"])
def test_what_is_no_address_is_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cloud", "completeness", "--url", url, "--secret-key", "x"]) == 1
    assert "is not the address of a cloud" in capsys.readouterr().err


def test_a_key_that_is_taken_is_named(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", "register", hub.key, "--kind", "hub", *target]) == 1
    assert "there is a device with this key already" in capsys.readouterr().err


def test_a_file_in_place_of_the_data_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["cloud", "local", "--port", "0", "--data-dir", str(tmp_path / "file")]) == 1
    assert "data cannot be kept there: File exists" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--port", "70000"], ["--token-life", "0"], ["--token-life", "7201"]])
def test_an_option_out_of_range_is_a_usage_error(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", "local", "--fresh", *option]) == 2
    assert option[0] in capsys.readouterr().err


def test_runs_until_it_is_told_to_stop(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    assert started.stderr is not None
    assert started.stdout.readline().startswith("The local cloud runs at http://127.0.0.1:")
    started.send_signal(signal.SIGTERM)
    assert started.wait(STOP_S) == 0
    assert "Traceback" not in started.stderr.read()
