"""Who may talk to the hub: new, list, approve, revoke."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.nodes.registry import APPROVED, PENDING, REVOKED, Node
from hub.nodes.registry_io import RegistryFile
from shared_schema.digest import node_key
from tools.command.__main__ import main
from tools.command.node import PASSWORD_VARIABLE
from tools.sim_nodes.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]


def new(folder: Path, *words: str, key: str = "tank-1") -> int:
    return main(["node", "new", key, "--site", str(folder), *words])


def given(folder: Path, key: str = "tank-1") -> dict[str, object]:
    said: dict[str, object] = json.loads((folder / "nodes" / f"{key}.json").read_bytes())
    return said


def test_a_new_node_holds_its_own_key_and_is_approved(tmp_path: Path) -> None:
    assert new(tmp_path) == 0
    site_key = bytes.fromhex((tmp_path / "site.key").read_text())
    assert given(tmp_path)["key"] == node_key(site_key, "tank-1", 1).hex()
    assert RegistryFile(tmp_path).load().nodes["tank-1"].state == APPROVED


def test_the_site_key_is_made_once(tmp_path: Path) -> None:
    assert new(tmp_path) == 0
    before = (tmp_path / "site.key").read_bytes()
    assert new(tmp_path, key="tank-2") == 0
    assert (tmp_path / "site.key").read_bytes() == before


def test_repeating_changes_settings_and_keeps_the_key(tmp_path: Path) -> None:
    assert new(tmp_path) == 0
    before = given(tmp_path)
    assert new(tmp_path, "--hub", "10.0.0.9:8266") == 0
    assert given(tmp_path) == before | {"hubs": ["10.0.0.9:8266"]}


def test_a_renewed_key_makes_the_old_one_void(tmp_path: Path) -> None:
    assert new(tmp_path) == 0
    before = given(tmp_path)
    assert new(tmp_path, "--renew") == 0
    assert given(tmp_path)["key"] != before["key"]
    assert RegistryFile(tmp_path).load().nodes["tank-1"].generation == given(tmp_path)["generation"] == 2


def test_a_revoked_node_needs_a_new_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path) == 0
    assert main(["node", "revoke", "tank-1", "--site", str(tmp_path)]) == 0
    assert new(tmp_path) == 1
    assert "--renew gives tank-1 a new key" in capsys.readouterr().err
    assert new(tmp_path, "--renew") == 0
    assert RegistryFile(tmp_path).load().nodes["tank-1"].state == APPROVED


def test_the_password_comes_from_the_environment_and_is_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "not for show")
    assert new(tmp_path, "--ssid", "farm") == 0
    assert given(tmp_path)["wifi"] == {"ssid": "farm", "password": "not for show"}
    said = capsys.readouterr()
    assert "not for show" not in said.out + said.err


def test_no_password_and_nobody_to_ask_is_an_error(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != PASSWORD_VARIABLE}
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.command",
            "node",
            "new",
            "tank-1",
            "--ssid",
            "farm",
            "--site",
            str(tmp_path),
        ],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 2
    assert f"{PASSWORD_VARIABLE}: is not set" in answer.stderr


def test_an_impossible_password_is_found_before_it_is_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "short")
    assert new(tmp_path, "--ssid", "farm") == 2
    assert "has 5 bytes; WPA passwords have 8 to 63" in capsys.readouterr().err


@pytest.mark.parametrize(("content", "reason"), [
    ("[1]", "is not an object"),
    ('{"kinds": {"tank": {"interval_s": 0, "sensors": [{"driver": "tds"}]}}}', "kinds.tank.interval_s"),
    ('{"plan": {}}', "plan"),
    ('{\n"kinds": tank}', "line 2: is no JSON"),
    (json.dumps({"kinds": {}, "outputs": {"x" * 1500: 1}}), "1500 are the most"),
])  # fmt: skip
def test_a_plan_that_no_node_takes_is_refused(
    content: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    assert new(tmp_path, "--plan", str(path)) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert str(path) in said
    assert not (tmp_path / "nodes").exists()


def test_a_plan_is_given_with_the_identity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path) == 0
    assert "it measures nothing until" in capsys.readouterr().out
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_of("tank")))
    assert new(tmp_path, "--plan", str(path)) == 0
    assert given(tmp_path)["plan"] == plan_of("tank")
    assert "it measures nothing" not in capsys.readouterr().out


@pytest.mark.parametrize("key", ["Tank", "a_b", "-a", "a-", "a" * 64, "a/../b"])
def test_what_is_no_host_name_is_no_node(key: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        new(tmp_path, key=key)


def test_one_wrong_name_changes_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path) == 0
    assert main(["node", "revoke", "tank-1", "tank-9", "--site", str(tmp_path)]) == 2
    assert "tank-9: there is no such node" in capsys.readouterr().err
    assert RegistryFile(tmp_path).load().nodes["tank-1"].state == APPROVED


def test_a_pending_node_is_listed_and_approved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waits = Node(PENDING, board="Pico W", firmware_version="1.4.0", address="10.0.0.7", seen_at_ms=1)
    RegistryFile(tmp_path).edit(lambda registry: registry.with_node("tank-3", waits))
    assert main(["node", "list", "--site", str(tmp_path)]) == 3
    said = capsys.readouterr().out
    for word in ("tank-3", "pending", "1.4.0", "10.0.0.7", " d "):
        assert word in said
    assert main(["node", "approve", "tank-3", "--site", str(tmp_path)]) == 0
    assert main(["node", "list", "--site", str(tmp_path), "--json"]) == 0
    assert '"state": "approved"' in capsys.readouterr().out


def test_a_revoked_node_is_shown_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path) == 0
    assert main(["node", "revoke", "tank-1", "--site", str(tmp_path)]) == 0
    assert main(["node", "list", "--site", str(tmp_path)]) == 0
    assert REVOKED in capsys.readouterr().out


def test_a_site_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "list", "--site", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
