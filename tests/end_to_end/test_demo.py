"""From the bus to the cloud's database, through everything that goes wrong on the way."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEMO_TIMEOUT_S = 240


def demo(folder: Path, seconds: int, faults: str) -> dict[str, Any]:
    result = folder / "out.json"
    ended = subprocess.run(
        [sys.executable, "-m", "tools.command", "demo", "--seconds", str(seconds), "--faults", faults,
         "--json", str(result), "--keep", str(folder / "kept")],
        capture_output=True, text=True, timeout=DEMO_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr + log_of(folder)
    document: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return document


def log_of(folder: Path) -> str:
    log = folder / "kept" / "hub.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def assert_nothing_lost(result: dict[str, Any]) -> None:
    assert result["duplicates_in_cloud"] == 0
    assert result["unexplained_gaps"] == 0
    assert result["readings_in_cloud"] + result["explained_losses"] == result["readings_stored"] > 0


def test_a_cut_cable_a_killed_hub_and_a_dead_slave_lose_nothing(tmp_path: Path) -> None:
    result = demo(tmp_path, 24, "cut@3-9,kill-hub@12,dead-slave@6-18")

    assert_nothing_lost(result)
    assert result["explained_losses"] == 0
    assert result["hub"]["restarts"] == 1
    assert result["uplink"]["backlog_peak"] > 8
    (bus,) = result["buses"]
    assert 0 < bus["utilisation"] < 1
    assert "slave_dead" in log_of(tmp_path)


def test_a_full_disk_a_lost_answer_a_lock_and_a_pulled_cable_lose_nothing(tmp_path: Path) -> None:
    result = demo(
        tmp_path, 28, "disk-full@2-6,lost-answer@7-10,half-answer@11-13,lock-outbox@14-17,pull-cable@18-21"
    )

    assert_nothing_lost(result)
    assert result["explained_losses"] == 0
    log = log_of(tmp_path)
    for event in ("disk_error", "outbox_locked", "bus_down"):
        assert f"{event}" in log


def test_a_node_that_is_killed_and_loses_power_and_wifi_loses_nothing_that_it_numbered(
    tmp_path: Path,
) -> None:
    result = demo(tmp_path, 24, "kill-node@3,node-wifi@5-9,kill-hub@7,power-cut-node@12,cut@14-18")

    assert_nothing_lost(result)
    # What a node had in memory when it died may have been promised numbers.
    assert result["explained_losses"] <= 5
    assert result["nodes"]["missing"] == 0
    assert result["nodes"]["numbered"] > 30


def test_nodes_go_to_a_second_hub_and_come_back_and_every_row_is_there_once(tmp_path: Path) -> None:
    result = demo(tmp_path, 28, "second-hub@4-18,kill-node@9")

    assert_nothing_lost(result)
    # What a node had in memory when it died may have been promised numbers.
    assert result["explained_losses"] <= 5
    assert result["hub"]["restarts"] == 1
    assert result["nodes"]["moved"] == result["nodes"]["nodes"] == 3
    assert result["nodes"]["missing"] == 0


def test_a_damaged_outbox_is_salvaged_and_every_row_accounted_for(tmp_path: Path) -> None:
    result = demo(tmp_path, 16, "cut@2-12,corrupt-outbox@9")

    assert result["duplicates_in_cloud"] == 0
    assert result["unexplained_gaps"] == 0
    assert list((tmp_path / "kept" / "hub").glob("outbox.db.corrupt-*"))


@pytest.mark.soak
def test_three_minutes_of_everything(tmp_path: Path) -> None:
    faults = ",".join(
        f"{name}@{start}-{start + 12}" if name != "kill-hub" else f"kill-hub@{start}"
        for start, name in zip(
            range(10, 150, 15),
            (
                "cut",
                "kill-hub",
                "noise",
                "cloud-500",
                "disk-full",
                "kill-hub",
                "black-hole",
                "pull-cable",
                "kill-hub",
            ),
            strict=False,
        )
    )

    assert_nothing_lost(demo(tmp_path, 170, faults))
