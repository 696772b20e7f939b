"""Rules: what may be written, by whom, and what a change does to the alerts there are."""

from typing import Any

import psycopg
import pytest

from tests.supabase.fleet import alerts, connect, insert, new_device, new_rule, new_tenant, one, send_ph
from tests.supabase.roles import Connection, acting_as_person, new_person

Denied = psycopg.errors.InsufficientPrivilege
Refused = psycopg.errors.CheckViolation


@pytest.fixture
def tenant(database: Connection) -> int:
    return new_tenant(database, "farm")


@pytest.fixture
def tank(database: Connection, tenant: int) -> int:
    return new_device(database, tenant, "tank")


@pytest.mark.parametrize(
    "bad",
    [
        {"threshold": None},
        {"is_above": None},
        {"threshold": "NaN"},
        {"threshold": "Infinity"},
        {"clear_threshold": 8.1},
        {"is_above": False, "clear_threshold": 7.9},
        {"clear_threshold": "NaN"},
        {"metric": None},
        {"table_name": None},
        {"stale_after_s": 60},
        {"rule_type": "stale", "stale_after_s": None},
        {"rule_type": "stale", "stale_after_s": 600, "threshold": 3, "is_above": True},
        {"rule_type": "offline"},
        {"rule_type": "guess"},
        {"table_name": "profiles", "metric": "email"},
        {"duration_s": -1},
        {"cooldown_s": -1},
        {"tag_value": "north"},
        {"name": ""},
        {"metric": "device_id"},
        {"metric": "seq"},
        {"metric": "recorded_at"},
        {"metric": "ph; drop table public.alerts"},
        {"metric": "cpu_percent"},
        {"metric": "ctid"},
        {"table_name": "device_heartbeats", "metric": "network_status"},
    ],
    ids=str,
)
def test_a_rule_that_could_not_work_is_refused(
    database: Connection, tenant: int, bad: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        new_rule(database, tenant, **bad)


def test_the_error_names_the_metric(database: Connection, tenant: int) -> None:
    with pytest.raises(Refused, match='the table "telemetry_tank" has no metric "pH"') as caught:
        new_rule(database, tenant, metric="pH")
    assert caught.value.diag.message_hint


def test_a_rule_names_devices_and_sites_of_its_tenant(database: Connection, tenant: int, tank: int) -> None:
    site = insert(database, "sites", tenant_id=tenant, name="yard")
    new_rule(database, tenant, device_id=tank, site_id=site)
    stranger = new_tenant(database, "stranger")
    messages = []
    for wrong in ({"device_id": tank}, {"site_id": site}, {"device_id": 10**9}, {"site_id": 10**9}):
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught, database.transaction():
            new_rule(database, stranger, **wrong)
        messages.append(str(caught.value.diag.message_primary).rpartition(" ")[0])
    # What is there and what is not look alike.
    assert messages[:2] == messages[2:]


def test_admins_write_rules_and_others_read_them(database: Connection, tenant: int) -> None:
    statement = (
        "insert into public.alert_rules (tenant_id, name, rule_type, table_name, metric, is_above, threshold)"
        " values (%s, 'x', 'threshold', 'telemetry_tank', 'ph', true, 8)"
    )
    with acting_as_person(database, new_person(database, "admin", tenant)):
        database.execute(statement, (tenant,))
        database.execute("update public.alert_rules set threshold = 9")
    for role in ("viewer", "operator"):
        person = new_person(database, role, tenant)
        with acting_as_person(database, person):
            assert one(database, "select threshold from public.alert_rules") == 9
            assert database.execute("update public.alert_rules set threshold = 1").rowcount == 0
            assert database.execute("delete from public.alert_rules").rowcount == 0
        with pytest.raises(Denied), acting_as_person(database, person):
            database.execute(statement, (tenant,))
    stranger = new_person(database, "admin", new_tenant(database, "stranger"))
    with acting_as_person(database, stranger):
        assert database.execute("select * from public.alert_rules").fetchall() == []
        assert database.execute("update public.alert_rules set threshold = 1").rowcount == 0
    with pytest.raises(Denied), acting_as_person(database, stranger):
        database.execute(statement, (tenant,))
    assert one(database, "select threshold from public.alert_rules") == 9


def test_those_below_do_not_see_the_rules_of_those_above(database: Connection) -> None:
    above = new_tenant(database, "above", None, "distributor")
    below = new_tenant(database, "below", above)
    new_rule(database, above)
    with acting_as_person(database, new_person(database, "admin", below)):
        assert database.execute("select * from public.alert_rules").fetchall() == []


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ("update public.alert_rules set is_enabled = false", "the rule was switched off"),
        ("update public.alert_rules set threshold = 8.5", "the rule was changed"),
        ("update public.alert_rules set metric = 'temperature_c'", "the rule was changed"),
        ("delete from public.alert_rules", "the rule was deleted"),
    ],
)
def test_a_rule_that_changes_withdraws_its_alerts(
    database: Connection, tenant: int, tank: int, change: str, note: str
) -> None:
    new_rule(database, tenant)
    send_ph(database, tank, [(0, 9)])
    database.execute(change.encode())
    (alert,) = alerts(database)
    assert not alert["is_active"]
    assert alert["details"]["rule_name"] == "too high"
    event = "select note from public.alert_events where event_type = 'withdrawn'"
    assert one(database, event) == note
    states = (
        "select count(*) from private.alert_states where alert_id is not null or breached_since is not null"
    )
    assert one(database, states) == 0


def test_a_changed_rule_starts_anew_but_not_with_late_rows(
    database: Connection, tenant: int, tank: int
) -> None:
    new_rule(database, tenant, cooldown_s=3600)
    send_ph(database, tank, [(600, 9)])
    database.execute("update public.alert_rules set threshold = 8.5")
    send_ph(database, tank, [(500, 10)])
    assert len(alerts(database)) == 1
    send_ph(database, tank, [(660, 9)])
    assert [alert["is_active"] for alert in alerts(database)] == [False, True]


def test_a_new_name_or_severity_leaves_the_alert(database: Connection, tenant: int, tank: int) -> None:
    new_rule(database, tenant)
    send_ph(database, tank, [(0, 9)])
    database.execute("update public.alert_rules set name = 'other', severity = 'critical', cooldown_s = 9")
    assert alerts(database)[0]["is_active"]


def test_a_device_with_an_alert_and_a_rule_can_be_deleted(own_connection: Connection) -> None:
    tenant = new_tenant(own_connection, "farm")
    tank = new_device(own_connection, tenant, "tank")
    new_rule(own_connection, tenant, device_id=tank)
    new_rule(own_connection, tenant)
    send_ph(own_connection, tank, [(0, 9)])
    assert len(alerts(own_connection)) == 2
    own_connection.execute("delete from public.devices where id = %s", (tank,))
    assert alerts(own_connection) == []


def test_a_device_that_leaves_the_reach_of_a_rule_leaves_its_alert(
    database: Connection, tenant: int, tank: int
) -> None:
    new_rule(database, tenant, kind="tank")
    send_ph(database, tank, [(0, 9)])
    database.execute("update public.devices set kind = 'flow' where id = %s", (tank,))
    assert one(database, "select private.find_silent() -> 'withdrawn_alerts'") == 1
    assert not alerts(database, rule_id=alerts(database)[0]["rule_id"])[0]["is_active"]


def test_who_changes_no_rule_keeps_no_batch_waiting(own_url: str) -> None:
    with connect(own_url) as owner, connect(own_url) as other:
        tenant = new_tenant(owner, "farm")
        people = [
            new_person(owner, "viewer", None),
            new_person(owner, "operator", tenant),
            new_person(owner, "admin", tenant),
        ]
        with owner.transaction():
            owner.execute("lock table private.alert_states in row exclusive mode")  # as a batch does
            other.execute("set lock_timeout = '200ms'")
            for person in people[:2]:
                with acting_as_person(other, person):
                    other.execute("update public.alert_rules set name = 'x'")
                    other.execute("delete from public.alert_rules")
            with pytest.raises(psycopg.errors.LockNotAvailable), acting_as_person(other, people[2]):
                other.execute("update public.alert_rules set name = 'x'")
