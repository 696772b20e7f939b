"""device_state follows the rows that were really inserted."""

from datetime import timedelta
from typing import Any

import pytest

from tests.supabase.roles import Connection, acting_as, register, row_of, upload

HOUR = timedelta(hours=1)


@pytest.fixture
def hub(database: Connection) -> int:
    return register(database, "hub", kind="hub")


def send(database: Connection, hub: int, *rows: dict[str, Any], table: str = "telemetry_tank") -> None:
    with acting_as(database, "device", hub):
        upload(database, table, rows)


def state_of(database: Connection, device_id: int) -> dict[str, Any]:
    found = database.execute(
        "select * from public.device_state where device_id = %s", (device_id,)
    ).fetchone()
    assert found is not None
    return found


def test_holds_the_newest_row_of_a_batch(database: Connection, hub: int) -> None:
    send(database, hub, row_of(hub, 2, ph=7), row_of(hub, 1, ago=HOUR, ph=6))
    state = state_of(database, hub)
    assert state["latest"]["telemetry_tank"]["ph"] == 7
    assert state["status"] == "online"
    assert "seq" not in state["latest"]["telemetry_tank"]


def test_late_rows_do_not_turn_it_back(database: Connection, hub: int) -> None:
    send(database, hub, row_of(hub, 2, ph=7))
    newest = state_of(database, hub)
    send(database, hub, row_of(hub, 1, ago=HOUR, ph=6))
    state = state_of(database, hub)
    assert state["latest"] == newest["latest"]
    assert state["last_seen_at"] == newest["last_seen_at"]


def test_each_table_has_its_latest(database: Connection, hub: int) -> None:
    send(database, hub, row_of(hub, 1, ago=HOUR, ph=7))
    send(database, hub, row_of(hub, 2, pressure_bar=3), table="telemetry_flow")
    send(database, hub, row_of(hub, 3, ago=HOUR / 2, ph=8))
    latest = state_of(database, hub)["latest"]
    assert latest["telemetry_tank"]["ph"] == 8
    assert latest["telemetry_flow"]["pressure_bar"] == 3


def test_a_batch_sent_again_does_not_touch_it(database: Connection, hub: int) -> None:
    rows = [row_of(hub, seq, ph=7) for seq in (1, 2)]
    send(database, hub, *rows)
    before = state_of(database, hub)
    send(database, hub, *rows)
    assert state_of(database, hub) == before


def test_the_first_row_makes_a_device_active(database: Connection, hub: int) -> None:
    tank = register(database, "tank", hub="hub")
    send(database, hub, row_of(hub, 1))
    found = database.execute("select id, status from public.devices order by id").fetchall()
    assert found == [{"id": hub, "status": "active"}, {"id": tank, "status": "approved"}]
