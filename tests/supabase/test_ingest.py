"""Readings of gateways: every bad one is named, and costs none of the others."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from shared_schema.metrics import KINDS, Metric, kind_named
from tests.supabase.gateways import Gateway, key_for, rows, send
from tests.supabase.roles import Connection, register

ROUNDS = 8
NO_TIME = "timestamp: expected ISO 8601 or Unix time"
NO_DEVICE = "unknown device, or not behind this gateway"


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


@pytest.fixture
def gateway(database: Connection) -> Gateway:
    return Gateway(database)


def test_a_reading_is_stored_for_the_device_it_names_by_key_or_number(gateway: Gateway) -> None:
    at = ago(minutes=1)
    answer = gateway.send(
        {"device_key": gateway.flow_key, "recorded_at": at, "flow_rate_lpm": 12.5, "status_code": 3},
        {"device_id": gateway.tank, "timestamp": at, "ph": 7.25},
    )
    assert answer == {"verdict": "granted", "accepted": 2, "duplicate": 0, "rejected": []}
    (flow,) = rows(gateway.database, "telemetry_flow", gateway.flow)
    assert (flow["epoch"], flow["seq"], flow["quality"], flow["time_quality"]) == (0, 1, 0, 0)
    assert (flow["flow_rate_lpm"], flow["status_code"], flow["pressure_bar"]) == (12.5, 3, None)
    assert flow["recorded_at"] == datetime.fromisoformat(at)
    assert rows(gateway.database, "telemetry_tank", gateway.tank)[0]["ph"] == 7.25
    state = gateway.database.execute(
        "select latest from public.device_state where device_id = %s", (gateway.flow,)
    ).fetchone()
    assert state is not None
    assert state["latest"]["telemetry_flow"]["flow_rate_lpm"] == 12.5


def test_without_a_name_the_gateway_speaks_of_itself(database: Connection) -> None:
    meter = register(database, "meter", kind="power")
    key = key_for(database, meter)
    assert send(database, key, [{"voltage_v": 230.1}])["accepted"] == 1
    assert rows(database, "telemetry_power", meter)[0]["voltage_v"] == 230.1


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.is_telemetry])
def test_every_kind_takes_its_metrics_by_their_names(database: Connection, kind: str) -> None:
    wanted = kind_named(kind)
    device = register(database, f"my-{kind}", kind=kind)
    key = key_for(database, device)
    reading = {field.name: max(field.low, 0) for field in wanted.fields if isinstance(field, Metric)}
    assert send(database, key, [reading])["accepted"] == 1
    (row,) = rows(database, wanted.table, device)
    assert {name: row[name] for name in reading} == reading


@pytest.mark.parametrize(
    "spelling",
    [
        lambda at: at.timestamp(),
        lambda at: int(at.timestamp() * 1000),
        lambda at: str(int(at.timestamp() * 1000)),
        lambda at: at.isoformat(),
        lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        lambda at: at.astimezone(None).isoformat(),
    ],
)
def test_a_time_may_be_written_in_any_usual_way(gateway: Gateway, spelling: Any) -> None:
    at = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=250_000)
    assert (
        gateway.send({"device_id": gateway.flow, "timestamp": spelling(at), "flow_rate_lpm": 1})["accepted"]
        == 1
    )
    (row,) = rows(gateway.database, "telemetry_flow", gateway.flow)
    assert row["recorded_at"] == at


def test_readings_without_a_time_were_taken_now_and_are_all_kept(gateway: Gateway) -> None:
    answer = gateway.send(
        *({"device_id": gateway.flow, name: 1} for name in ("flow_rate_lpm", "pressure_bar"))
    )
    assert answer["accepted"] == 2
    found = rows(gateway.database, "telemetry_flow", gateway.flow)
    assert [row["time_quality"] for row in found] == [
        2,
        2,
    ]  # estimated: when it arrived, not when it was measured


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ({"flow_rate_lpm": "12"}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": "NaN"}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": "Infinity"}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": True}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": [1]}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": {"a": 1}}, "flow_rate_lpm: expected a number"),
        ({"flow_rate_lpm": 1e9}, "flow_rate_lpm: out of range"),
        ({"flow_rate_lpm": 10**400}, "flow_rate_lpm: out of range"),
        ({"pressure_bar": 1e39}, "pressure_bar: out of range"),
        ({"status_code": 2**40}, "status_code: out of range"),
        ({"status_code": -1}, "status_code: out of range"),
        ({"water_level_cm": 1}, 'unknown metric "water_level_cm" for the kind flow'),
        ({"id; drop table devices": 1}, 'unknown metric "id; drop table devices" for the kind flow'),
        ({"epoch": 3, "flow_rate_lpm": 1}, 'unknown metric "epoch" for the kind flow'),
        ({"received_at": 3, "flow_rate_lpm": 1}, 'unknown metric "received_at" for the kind flow'),
        ({"x" * 5000: 1}, f'unknown metric "{"x" * 64}" for the kind flow'),
        ({}, "no metric in it"),
        ({"flow_rate_lpm": None}, "no metric in it"),
        ({"flow_rate_lpm": 1, "timestamp": "yesterday"}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": "now"}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": "infinity"}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": "2026-13-45T00:00:00Z"}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": "'; delete from devices; --"}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": -1}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": 10**40}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": {}}, NO_TIME),
        ({"flow_rate_lpm": 1, "timestamp": 0}, "timestamp: older than 90 days"),
        ({"flow_rate_lpm": 1, "timestamp": "1970-01-01T00:00:00Z"}, "timestamp: older than 90 days"),
        ({"flow_rate_lpm": 1, "timestamp": "9999-12-31T23:59:59Z"}, "timestamp: in the future"),
        ({"flow_rate_lpm": 1, "timestamp": 9_999_999_999_999}, "timestamp: in the future"),
        ({"device_key": "nobody", "flow_rate_lpm": 1}, NO_DEVICE),
        ({"device_key": "' or true --", "flow_rate_lpm": 1}, NO_DEVICE),
        ({"device_key": 7, "flow_rate_lpm": 1}, NO_DEVICE),
        ({"device_id": 10**30, "flow_rate_lpm": 1}, NO_DEVICE),
        ({"device_id": "1 or 1=1", "flow_rate_lpm": 1}, NO_DEVICE),
        ({"device_key": "gateway", "flow_rate_lpm": 1}, "a device of the kind gateway has no telemetry"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_named(gateway: Gateway, reading: dict[str, Any], reason: str) -> None:
    assert gateway.reason(**reading) == reason


@pytest.mark.parametrize("reading", [None, 1, "text", [], True, [[]]])
def test_what_is_no_object_is_named(gateway: Gateway, reading: Any) -> None:
    answer = gateway.send(reading, {"device_id": gateway.flow, "flow_rate_lpm": 1})
    assert (answer["accepted"], answer["rejected"]) == (1, [{"index": 0, "reason": "expected an object"}])


def test_bad_readings_cost_none_of_the_good_ones(gateway: Gateway) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    readings = [
        {
            "device_key": gateway.flow_key if n % 2 else gateway.tank_key,
            "timestamp": (start + timedelta(seconds=n)).isoformat(),
            "temperature_c": 999 if n % 50 == 7 else "hot" if n % 50 == 8 else 20,
        }
        for n in range(1000)
    ]
    answer = gateway.send(*readings)
    assert (answer["accepted"], answer["duplicate"]) == (960, 0)
    bad = [n for n in range(1000) if n % 50 in {7, 8}]
    assert [entry["index"] for entry in answer["rejected"]] == bad
    for table, device_id in (("telemetry_flow", gateway.flow), ("telemetry_tank", gateway.tank)):
        stored = rows(gateway.database, table, device_id)
        assert [row["seq"] for row in stored] == list(range(1, 481))
        assert [row["recorded_at"] for row in stored] == sorted(row["recorded_at"] for row in stored)
        gaps = gateway.database.execute(
            "select sum(unexplained_gaps) as gaps from public.completeness() where device_id = %s",
            (device_id,),
        ).fetchone()
        assert gaps == {"gaps": 0}


def test_however_many_bad_ones_there_are_the_good_ones_are_one_batch(gateway: Gateway) -> None:
    answer = gateway.send(*({"device_id": gateway.tank, "ph": 7 + place % 2 * 8} for place in range(100)))
    assert answer["accepted"] == 50
    bad = [{"index": place, "reason": "ph: out of range"} for place in range(1, 100, 2)]
    assert answer["rejected"] == bad
    assert [row["seq"] for row in rows(gateway.database, "telemetry_tank", gateway.tank)] == [*range(1, 51)]
    state = gateway.database.execute(
        "select version from public.device_state where device_id = %s", (gateway.tank,)
    ).fetchone()
    assert state == {"version": 1}


def test_what_is_next_to_nothing_is_nothing(gateway: Gateway) -> None:
    tiny = {"device_key": gateway.flow_key, "pressure_bar": 1e-60, "flow_rate_lpm": -5e-324}
    assert gateway.send(tiny)["rejected"] == []
    (row,) = rows(gateway.database, "telemetry_flow", gateway.flow)
    assert (row["pressure_bar"], row["flow_rate_lpm"]) == (0, 0)


def test_the_same_device_and_time_again_is_a_duplicate(gateway: Gateway) -> None:
    reading = {"device_id": gateway.flow, "timestamp": ago(minutes=5), "flow_rate_lpm": 1}
    assert gateway.send(reading, {**reading, "flow_rate_lpm": 2})["duplicate"] == 1
    answer = gateway.send(reading, {**reading, "timestamp": ago(minutes=4)})
    assert (answer["accepted"], answer["duplicate"]) == (1, 1)
    assert [row["flow_rate_lpm"] for row in rows(gateway.database, "telemetry_flow", gateway.flow)] == [1, 1]
    assert [row["seq"] for row in rows(gateway.database, "telemetry_flow", gateway.flow)] == [1, 2]


def test_foreign_devices_are_answered_like_those_that_do_not_exist(gateway: Gateway) -> None:
    other = Gateway(gateway.database, "other")
    unknown = gateway.reason(device_key="nobody", flow_rate_lpm=1)
    assert gateway.reason(device_key=other.flow_key, flow_rate_lpm=1) == unknown
    assert gateway.reason(device_key=None, device_id=other.flow, flow_rate_lpm=1) == unknown
    assert gateway.reason(device_id=other.flow, flow_rate_lpm=1) == unknown
    gateway.database.execute("update public.devices set revoked_at = now() where id = %s", (gateway.flow,))
    assert gateway.reason(flow_rate_lpm=1) == unknown


def test_fields_of_the_gateway_are_mapped_scaled_and_passed_over(gateway: Gateway) -> None:
    gateway.database.execute(
        """
        insert into public.field_mappings (device_id, external_name, metric_name, scale, offset_value) values
          (%(flow)s, 'AI1', 'flow_rate_lpm', 0.5, -2), (%(flow)s, 'DI 3', 'status_code', 1, 0.4),
          (%(flow)s, 'rssi', null, 1, 0)
        """,
        {"flow": gateway.flow},
    )
    reading = {"device_id": gateway.flow, "AI1": 100, "DI 3": 7, "rssi": -71, "pressure_bar": 3}
    assert gateway.send(reading)["accepted"] == 1
    (row,) = rows(gateway.database, "telemetry_flow", gateway.flow)
    assert (row["flow_rate_lpm"], row["status_code"], row["pressure_bar"]) == (48, 7, 3)
    assert gateway.reason(AI1="x") == "AI1: expected a number"
    assert gateway.reason(AI1=1, flow_rate_lpm=1) == "flow_rate_lpm: given twice"
    assert gateway.reason(AI1=1e300) == "flow_rate_lpm: out of range"
    assert gateway.reason(rssi=1) == "no metric in it"
    assert gateway.reason(device_key=gateway.tank_key, AI1=1) == 'unknown metric "AI1" for the kind tank'


@pytest.mark.parametrize("values", ["'NaN', 0", "'Infinity', 0", "0, 0", "1, 'NaN'", "1, '-Infinity'"])
def test_a_mapping_that_would_spoil_every_reading_is_refused(gateway: Gateway, values: str) -> None:
    statement = (
        "insert into public.field_mappings (device_id, external_name, metric_name, scale, offset_value)"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        gateway.database.execute(f"{statement} values (%s, 'a', 'ph', {values})".encode(), (gateway.tank,))


@pytest.fixture
def lasting(migrated: str) -> Iterator[Gateway]:
    """A gateway that other connections see too; gone after the test."""
    name = f"gateway-{uuid.uuid4().hex[:12]}"
    with psycopg.connect(migrated, row_factory=dict_row, autocommit=True) as connection:
        gateway = Gateway(connection, name)
        yield gateway
        for table in ("telemetry_flow", "telemetry_tank"):
            statement = f"delete from public.{table} where device_id = any (%s)"
            connection.execute(statement.encode(), ([gateway.flow, gateway.tank],))
        connection.execute(
            "delete from public.devices where device_key = any (%s)", ([gateway.flow_key, gateway.tank_key],)
        )
        connection.execute("delete from public.devices where id = %s", (gateway.id,))


def test_batches_at_once_neither_wait_for_each_other_for_ever_nor_lose_a_number(
    migrated: str, lasting: Gateway
) -> None:
    keys = [key_for(lasting.database, lasting.id) for _ in range(4)]
    start = datetime.now(UTC) - timedelta(hours=1)
    readings = [
        {"device_id": device_id, "timestamp": (start + timedelta(seconds=n)).isoformat(), "temperature_c": 20}
        for n in range(40)
        for device_id in (lasting.flow, lasting.tank)
    ]
    barrier = Barrier(len(keys))

    def one(key: str) -> int:
        accepted = 0
        with psycopg.connect(migrated, row_factory=dict_row, autocommit=True) as connection:
            barrier.wait()
            for turn in range(ROUNDS):
                # Each its own order and an overlap with the others.
                part = readings[turn * 8 : turn * 8 + 24]
                accepted += send(connection, key, part if keys.index(key) % 2 else part[::-1])["accepted"]
        return accepted

    with ThreadPoolExecutor(len(keys)) as pool:
        assert sum(pool.map(one, keys)) == 80
    for table, device_id in (("telemetry_flow", lasting.flow), ("telemetry_tank", lasting.tank)):
        assert [row["seq"] for row in rows(lasting.database, table, device_id)] == list(range(1, 41))
