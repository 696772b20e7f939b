"""What the token of a device opens, and what it does not."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from shared_schema.limits import FUTURE_MS, RETENTION_MS
from shared_schema.metrics import KINDS, LOSS, Kind
from tests.supabase.roles import (
    Connection,
    acting_as,
    acting_as_person,
    count,
    new_person,
    new_tenant,
    register,
    row_of,
    upload,
)

Denied = psycopg.errors.InsufficientPrivilege
REQUIRED_VALUES: dict[str, dict[str, Any]] = {
    "loss_ledger": {"lost_epoch": 7, "first_seq": 1, "last_seq": 2, "cause": "evicted"},
    "error_logs": {"level": "error", "code": "x", "message": "y"},
    "attendance_logs": {"student_id": "7", "result": "success", "scan_type": "qr"},
}


@pytest.fixture
def hub(database: Connection) -> int:
    return register(database, "hub", kind="hub")


@pytest.fixture
def tank(database: Connection, hub: int) -> int:
    return register(database, "tank", hub="hub")


@pytest.fixture
def stranger(database: Connection) -> int:
    return register(database, "stranger")


def test_a_hub_sends_for_itself_and_for_those_behind_it(database: Connection, hub: int, tank: int) -> None:
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(hub, 1), row_of(tank, 1)])
    assert count(database, "telemetry_tank") == 2


def test_a_device_sends_for_itself_but_not_for_its_hub(database: Connection, hub: int, tank: int) -> None:
    with acting_as(database, "device", tank):
        upload(database, "telemetry_tank", [row_of(tank, 1)])
    with pytest.raises(Denied), acting_as(database, "device", tank):
        upload(database, "telemetry_tank", [row_of(hub, 1)])


@pytest.fixture
def roaming(database: Connection, hub: int) -> int:
    """A node behind the hub that other hubs hear too."""
    node = register(database, "roaming", hub="hub")
    database.execute("update public.devices set is_roaming = true where id = %s", (node,))
    return node


def test_a_node_that_roams_is_sent_for_by_every_hub_of_its_tenant(database: Connection, roaming: int) -> None:
    other = register(database, "other-hub", kind="hub")
    with acting_as(database, "device", other):
        upload(database, "telemetry_tank", [row_of(roaming, 1)])
        seen = database.execute("select device_key from public.devices order by 1").fetchall()
    assert [device["device_key"] for device in seen] == ["other-hub", "roaming"]
    assert count(database, "telemetry_tank") == 1


def test_a_node_that_roams_is_no_business_of_others(database: Connection, hub: int, roaming: int) -> None:
    others = {
        "a hub of another tenant": register(database, "foreign-hub", kind="hub"),
        "what is no hub": register(database, "terminal", kind="terminal"),
        "what is behind a hub": register(database, "tank", hub="hub"),
    }
    elsewhere = new_tenant(database, "customer", "Elsewhere")
    database.execute(
        "update public.devices set tenant_id = %s where device_key = 'foreign-hub'", (elsewhere,)
    )
    revoked = register(database, "revoked-hub", kind="hub")
    database.execute("update public.devices set revoked_at = now() where id = %s", (revoked,))
    for other in (*others.values(), revoked):
        with pytest.raises(Denied), acting_as(database, "device", other):
            upload(database, "telemetry_tank", [row_of(roaming, 1)])
    database.execute("update public.devices set revoked_at = now() where id = %s", (roaming,))
    with pytest.raises(Denied), acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(roaming, 1)])


def test_orders_for_a_node_that_roams_go_through_its_own_hub(
    database: Connection, hub: int, roaming: int
) -> None:
    other = register(database, "other-hub", kind="hub")
    operator = new_person(database, "superadmin", None)
    with acting_as_person(database, operator):
        database.execute("select public.create_command(%s, 'identify')", (roaming,))
    for claimer, amount in ((other, 0), (hub, 1)):
        with acting_as(database, "device", claimer):
            assert len(database.execute("select * from public.claim_commands()").fetchall()) == amount


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_table_takes_rows_in_the_name_of_another(
    database: Connection, hub: int, stranger: int, kind: Kind
) -> None:
    values = {**REQUIRED_VALUES.get(kind.table, {})}
    if kind is LOSS:
        values["lost_device_id"] = hub
    with pytest.raises(Denied), acting_as(database, "device", hub):
        upload(database, kind.table, [row_of(stranger, 1, **values)])
    with acting_as(database, "device", hub):
        upload(database, kind.table, [row_of(hub, 1, **values)])


def test_nobody_explains_away_the_holes_of_another(database: Connection, hub: int, stranger: int) -> None:
    entry = row_of(hub, 1, **REQUIRED_VALUES["loss_ledger"], lost_device_id=stranger)
    with pytest.raises(Denied), acting_as(database, "device", hub):
        upload(database, "loss_ledger", [entry])


@pytest.mark.parametrize(
    ("ago_ms", "is_taken"),
    [
        (-FUTURE_MS + 10_000, True),
        (-FUTURE_MS - 10_000, False),
        (RETENTION_MS - 10_000, True),
        (RETENTION_MS + 10_000, False),
    ],
)
def test_rows_are_of_the_present(database: Connection, hub: int, ago_ms: int, is_taken: bool) -> None:
    row = row_of(hub, 1, ago=timedelta(milliseconds=ago_ms))
    if is_taken:
        with acting_as(database, "device", hub):
            upload(database, "telemetry_tank", [row])
    else:
        with pytest.raises(Denied), acting_as(database, "device", hub):
            upload(database, "telemetry_tank", [row])
    assert count(database, "telemetry_tank") == int(is_taken)


def test_revoking_a_device_bites_at_once(database: Connection, hub: int, tank: int) -> None:
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(tank, 1)])
    database.execute("update public.devices set revoked_at = now() where id = %s", (tank,))
    with pytest.raises(Denied), acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(tank, 2)])
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(hub, 1)])


def test_a_revoked_hub_speaks_for_nobody(database: Connection, hub: int, tank: int) -> None:
    database.execute("update public.devices set revoked_at = now() where id = %s", (hub,))
    for device_id in (hub, tank):
        with pytest.raises(Denied), acting_as(database, "device", hub):
            upload(database, "telemetry_tank", [row_of(device_id, 1)])


@pytest.mark.parametrize("status", ["pending", "retired"])
def test_a_device_not_in_service_may_do_nothing(database: Connection, hub: int, status: str) -> None:
    database.execute("update public.devices set status = %s::public.device_status", (status,))
    with pytest.raises(Denied), acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(hub, 1)])


def test_a_batch_sent_again_changes_nothing(database: Connection, hub: int) -> None:
    rows = [row_of(hub, seq, ph=7.5) for seq in range(1, 6)]
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", rows[:3])
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", rows)
    assert count(database, "telemetry_tank") == len(rows)


def test_a_device_reads_the_keys_of_its_rows_and_nothing_more(
    database: Connection, hub: int, stranger: int
) -> None:
    upload(database, "telemetry_tank", [row_of(hub, 1), row_of(stranger, 1)])
    with acting_as(database, "device", hub):
        found = database.execute("select device_id, seq from public.telemetry_tank").fetchall()
    assert found == [{"device_id": hub, "seq": 1}]
    with pytest.raises(Denied), acting_as(database, "device", hub):
        database.execute("select ph from public.telemetry_tank")


def test_a_device_sees_itself_and_those_behind_it(
    database: Connection, hub: int, tank: int, stranger: int
) -> None:
    with acting_as(database, "device", hub):
        found = database.execute("select id, device_key from public.devices order by id").fetchall()
    assert found == [{"id": hub, "device_key": "hub"}, {"id": tank, "device_key": "tank"}]


@pytest.mark.parametrize(
    "statement",
    [
        "update public.telemetry_tank set ph = 1",
        "delete from public.telemetry_tank",
        "truncate public.telemetry_tank",
        "update public.devices set hub_id = 1",
        "insert into public.devices (device_key, name, kind) values ('a', 'a', 'hub')",
        "select * from private.device_secrets",
        "select * from public.device_state",
        "select * from public.completeness()",
        "select public.register_device('a', 'hub', null)",
        "select * from public.open_device_session('a', 'b', 'c')",
        "select private.make_partitions()",
        "select * from partitions.telemetry_tank_default",
        "set role service_role",
    ],
)
def test_a_device_can_do_nothing_else(database: Connection, hub: int, statement: str) -> None:
    database.execute("set session authorization device")
    try:
        with pytest.raises(Denied), database.transaction():
            database.execute(statement)
    finally:
        database.execute("reset session authorization")


@pytest.mark.parametrize(
    "claims", ["", "{}", '{"device_id": null}', '{"device_id": 0}', '{"role": "device"}']
)
def test_a_token_without_a_device_opens_nothing(database: Connection, hub: int, claims: str) -> None:
    database.execute(
        "select set_config('request.jwt.claims', %s, true), set_config('role', 'device', true)", (claims,)
    )
    assert database.execute("select id from public.devices").fetchall() == []


@pytest.mark.parametrize("bad", [{"ph": 15}, {"ph": "NaN"}, {"volume_l": -1}, {"quality": 3}, {"seq": -1}])
def test_nonsense_is_refused_by_the_table_itself(
    database: Connection, hub: int, bad: dict[str, object]
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [{**row_of(hub, 1), **bad}])


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("sites", "id created_at"),
        ("device_tags", "id created_at"),
        ("device_calibrations", "id created_at created_by"),
        ("field_mappings", "id"),
    ],
)
def test_people_write_neither_numbers_nor_who_it_was(database: Connection, table: str, columns: str) -> None:
    found = database.execute(
        """
        select attname from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not (
          has_column_privilege('authenticated', attrelid, attnum, 'insert')
          or has_column_privilege('authenticated', attrelid, attnum, 'update')
        )
        order by attnum
        """,
        (f"public.{table}",),
    )
    assert {row["attname"] for row in found} == set(columns.split())
