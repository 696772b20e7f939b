"""The health of a device: a number that says where it comes from."""

from datetime import timedelta
from typing import Any

import pytest

from tests.supabase.fleet import new_device, new_tenant
from tests.supabase.roles import Connection, Row, row_of, upload

SECOND = timedelta(seconds=1)


@pytest.fixture
def tank(database: Connection) -> int:
    return new_device(database, new_tenant(database, "farm"), "tank")


def health(database: Connection, device_id: int) -> Row:
    found = database.execute("select * from public.device_health(%s)", (device_id,)).fetchone()
    assert found is not None
    return found


def send(database: Connection, device_id: int, count: int = 20, ago_s: int = 0, **values: Any) -> None:
    rows = [
        row_of(device_id, seq, ago=(ago_s + 30 * (count - seq)) * SECOND, **values)
        for seq in range(1, count + 1)
    ]
    upload(database, "telemetry_tank", rows)


def test_a_device_that_does_all_well_has_a_hundred(database: Connection, tank: int) -> None:
    send(database, tank, battery_v=4.1)
    found = health(database, tank)
    assert (found["score"], found["confidence"]) == (100, 1)
    assert set(found["components"]) == {"freshness", "quality", "completeness", "errors", "battery"}
    for component in found["components"].values():
        assert set(component) == {"value", "weight", "score", "sentence"}
        assert component["sentence"].endswith(".")


def test_the_score_is_the_weighed_mean_of_its_reasons(database: Connection, tank: int) -> None:
    send(database, tank, battery_v=3.6)
    parts = health(database, tank)["components"].values()
    mean = sum(part["weight"] * part["score"] for part in parts) / sum(part["weight"] for part in parts)
    assert health(database, tank)["score"] == round(mean)


@pytest.mark.parametrize(
    ("change", "name"),
    [({"quality": 1}, "quality"), ({"battery_v": 3.3}, "battery"), ({"ago_s": 700}, "freshness")],
)
def test_what_is_worse_lowers_its_component_and_the_score(
    database: Connection, tank: int, change: dict[str, Any], name: str
) -> None:
    values = {"battery_v": 4.1, **change}
    if "quality" in change:
        rows = [{**row_of(tank, seq, battery_v=4.1), "quality": 1} for seq in range(1, 21)]
        upload(database, "telemetry_tank", rows)
    else:
        send(database, tank, **values)
    found = health(database, tank)
    assert found["score"] < 95
    assert found["components"][name]["score"] < 50


def test_missing_rows_are_counted(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [row_of(tank, seq, ago=seq * SECOND) for seq in range(1, 21, 2)])
    component = health(database, tank)["components"]["completeness"]
    assert component["sentence"] == "9 of 19 rows of the last 15 minutes are missing."


def test_the_numbers_run_on_over_tables(database: Connection, tank: int) -> None:
    for seq in range(1, 21):
        table = "telemetry_tank" if seq % 2 else "device_heartbeats"
        upload(database, table, [row_of(tank, seq, ago=seq * SECOND)])
    assert health(database, tank)["components"]["completeness"]["score"] == 100


def test_errors_of_the_day_count(database: Connection, tank: int) -> None:
    send(database, tank)
    for seq, (level, ago) in enumerate(
        [("error", 1), ("critical", 2), ("warning", 3), ("error", 30)], start=21
    ):
        row = row_of(tank, seq, ago=timedelta(hours=ago), level=level, code="x", message="y")
        upload(database, "error_logs", [row])
    component = health(database, tank)["components"]["errors"]
    assert component["score"] == 60
    assert component["sentence"] == "2 errors in the last 24 hours, 1 of them critical."


def test_a_silent_device_is_not_well_whatever_else_is(database: Connection, tank: int) -> None:
    send(database, tank, ago_s=3600, battery_v=4.1)
    found = health(database, tank)
    assert found["score"] <= 20
    assert found["components"]["freshness"]["sentence"].startswith("Silent for 01:00:0")
    assert found["confidence"] == 0


def test_little_evidence_is_little_confidence(database: Connection, tank: int) -> None:
    assert (health(database, tank)["score"], health(database, tank)["confidence"]) == (0, 0)
    upload(database, "telemetry_tank", [row_of(tank, seq) for seq in range(1, 6)])
    assert 0.4 < health(database, tank)["confidence"] < 0.6


def test_a_battery_of_no_known_type_does_not_count(database: Connection, tank: int) -> None:
    send(database, tank, battery_v=6)
    found = health(database, tank)
    assert found["components"]["battery"]["score"] is None
    assert found["score"] == 100
