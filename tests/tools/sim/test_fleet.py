"""A fleet of simulated hubs against the local cloud, and the arguments that ask for one."""

import json
import uuid
from pathlib import Path

import pytest

from tools.command.__main__ import main
from tools.local_cloud.admin_io import CloudAdmin
from tools.local_cloud.process_io import CloudProcess
from tools.sim_fleet.registration import secret_of

HUBS, DEVICES = 5, 4
TABLES = (
    "telemetry_tank",
    "telemetry_flow",
    "telemetry_deep",
    "telemetry_environment",
    "telemetry_power",
    "device_heartbeats",
)


@pytest.fixture
def prefix() -> str:
    return f"f{uuid.uuid4().hex[:8]}"


@pytest.fixture
def target(local_cloud: CloudProcess) -> list[str]:
    keys = ["--secret-key", local_cloud.secret_key, "--publishable-key", local_cloud.publishable_key]
    return ["--url", local_cloud.url, *keys]


def fleet(prefix: str, *arguments: str) -> int:
    size = ["--hubs", str(HUBS), "--devices", str(DEVICES), "--seconds", "6", "--speed-up", "120"]
    return main(["sim", "fleet", *size, "--prefix", prefix, *arguments])


def rows_in(admin: CloudAdmin, prefix: str) -> int:
    """Count the rows of the fleet's devices without asking completeness."""
    devices = admin.select(f"devices?select=id&device_key=like.{prefix}-*")
    ids = ",".join(str(device["id"]) for device in devices)
    return sum(len(admin.select(f"{table}?select=seq&device_id=in.({ids})")) for table in TABLES)


def test_outages_and_lost_answers_cost_nothing(
    prefix: str,
    target: list[str],
    local_cloud: CloudProcess,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.json"
    faults = ["--faults", "outage@1-4:0.6", "lost-answer@0-6:0.3"]
    assert fleet(prefix, *target, *faults, "--json", str(out)) == 0, capsys.readouterr().err
    found = json.loads(out.read_text())
    verdict = found["verdict"]
    assert verdict["is_complete"]
    assert verdict["devices"] == HUBS * (DEVICES + 1)
    # Twelve simulated minutes: a reading a minute and two heartbeats.
    assert verdict["rows_made"] >= HUBS * (DEVICES * 11 + 22)
    assert verdict["rows_made"] == verdict["rows_stored"] == rows_in(local_cloud.admin, prefix)
    assert (verdict["duplicates"], verdict["unexplained"], verdict["rows_waiting"]) == (0, 0, 0)
    assert found["answers_lost"] > 0
    assert "nothing lost, nothing twice" in capsys.readouterr().out


def test_a_second_run_finds_its_hubs_again_and_starts_a_new_epoch(
    prefix: str, target: list[str], local_cloud: CloudProcess
) -> None:
    size = ["--hubs", "1", "--devices", "2", "--seconds", "2"]
    assert fleet(prefix, *target, *size) == 0
    assert fleet(prefix, *target, *size) == 0
    found = list(local_cloud.admin.completeness_below(f"{prefix}-hub-"))
    assert len({row.device_key for row in found}) == 3
    assert len({row.epoch for row in found}) == 2


def test_all_of_a_fleet_belongs_to_a_tenant_of_its_own(
    prefix: str, target: list[str], local_cloud: CloudProcess
) -> None:
    assert fleet(prefix, *target, "--hubs", "2", "--devices", "1", "--seconds", "1") == 0
    devices = local_cloud.admin.select(f"devices?select=tenant_id&device_key=like.{prefix}-*")
    (tenant,) = local_cloud.admin.select(
        f"tenants?select=id&name=eq.Simulated fleet {prefix}".replace(" ", "%20")
    )
    assert [device["tenant_id"] for device in devices] == [tenant["id"]] * 4


def test_hubs_whose_secret_is_another_one_are_named(
    prefix: str,
    target: list[str],
    local_cloud: CloudProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.sim_fleet.fleet.SIGN_IN_S", 1.0)
    other = secret_of(f"{prefix}-hub-00001", "another secret key")
    local_cloud.admin.register_device(f"{prefix}-hub-00001", "hub", secret=other)
    assert fleet(prefix, *target, "--hubs", "1") == 1
    assert "no hub could sign in: 1 x device_refused" in capsys.readouterr().err


def test_the_keys_may_come_from_the_environment(
    prefix: str, local_cloud: CloudProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", local_cloud.secret_key)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", local_cloud.publishable_key)
    assert fleet(prefix, "--url", local_cloud.url, "--hubs", "1", "--seconds", "1") == 0


def test_everything_wrong_with_the_arguments_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SUPABASE_SECRET_KEY", raising=False)
    monkeypatch.delenv("SUPABASE_PUBLISHABLE_KEY", raising=False)
    faults = ["outage@5-2", "lost-answer@1-99", "flood@1-2", "outage", "outage@1-2:3"]
    arguments = ["--hubs", "0", "--prefix", "Ä", "--keep", "--url", "http://127.0.0.1:9", "--faults", *faults]
    assert main(["sim", "fleet", "--seconds", "10", *arguments]) == 2
    said = capsys.readouterr().err
    for sentence in (
        "--hubs: 0 is out of range",
        "cannot begin a device key",
        "--secret-key: is missing",
        "--publishable-key: is missing",
        "--keep: does not go with --url",
        "outage@5-2: ends before it starts",
        "lost-answer@1-99: lies outside the 10 seconds",
        "flood@1-2: is not a known fault",
        "outage: cannot be read",
        "outage@1-2:3: has a share of 3",
        "10 problem(s) found; nothing was started",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seconds", "86400", "--speed-up", "100"], "100 simulated days are too many"),
        (["--secret-key", "sb_secret_x"], "no --url"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", "fleet", *arguments]) == 2
    assert sentence in capsys.readouterr().err
