"""Devices and values that fall silent, and what happens when they are heard again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.supabase.fleet import alerts, new_device, new_rule, new_tenant, one
from tests.supabase.roles import Connection, Row, acting_as, row_of, upload

MINUTE = timedelta(minutes=1)


@pytest.fixture
def tenant(database: Connection) -> int:
    return new_tenant(database, "farm")


@pytest.fixture
def hub(database: Connection, tenant: int) -> int:
    return new_device(database, tenant, "hub", kind="hub")


@pytest.fixture
def tank(database: Connection, tenant: int, hub: int) -> int:
    return new_device(database, tenant, "tank", hub_id=hub)


def hear(database: Connection, device_id: int, ago: timedelta, **values: Any) -> None:
    seq = one(database, "select count(*) + 1 from public.telemetry_tank")
    upload(database, "telemetry_tank", [row_of(device_id, int(seq), ago=ago, **values)])


def run_job(database: Connection) -> Row:
    found: Row = one(database, "select private.find_silent()")
    return found


def status(database: Connection, device_id: int) -> str:
    return str(one(database, "select status from public.device_state where device_id = %s", device_id))


def downtime(database: Connection, device_id: int) -> list[Row]:
    return database.execute(
        "select * from public.device_downtime where device_id = %s order by started_at", (device_id,)
    ).fetchall()


def test_a_silent_device_becomes_offline_once(database: Connection, hub: int, tank: int) -> None:
    hear(database, hub, MINUTE)
    hear(database, tank, 16 * MINUTE)
    assert run_job(database)["offline"] == 1
    assert run_job(database) == dict.fromkeys(run_job(database), 0)
    assert status(database, tank) == "offline"
    assert status(database, hub) == "online"
    (down,) = downtime(database, tank)
    assert down["ended_at"] is None
    (alert,) = alerts(database)
    assert alert["device_id"] == tank
    assert alert["alert_type"] == "device_offline"
    assert alert["severity"] == "warning"
    assert alert["recorded_at"] == down["started_at"]


def test_what_was_heard_in_time_stays_online(database: Connection, hub: int) -> None:
    hear(database, hub, 14 * MINUTE)
    assert run_job(database)["offline"] == 0
    database.execute("update public.devices set offline_after_s = 600")
    assert run_job(database)["offline"] == 1


def test_the_return_ends_downtime_and_alert(database: Connection, hub: int) -> None:
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    assert alerts(database)[0]["severity"] == "critical"
    hear(database, hub, MINUTE)
    assert status(database, hub) == "online"
    (down,) = downtime(database, hub)
    assert down["duration_s"] == pytest.approx(59 * 60, abs=5)
    assert not alerts(database)[0]["is_active"]
    events = database.execute("select event_type from public.alert_events order by id").fetchall()
    assert [event["event_type"] for event in events] == ["raised", "cleared"]


def test_late_rows_are_no_sign_of_life(database: Connection, hub: int) -> None:
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    hear(database, hub, 90 * MINUTE)
    hear(database, hub, 30 * MINUTE)
    assert status(database, hub) == "offline"
    assert downtime(database, hub)[0]["ended_at"] is None
    hear(database, hub, MINUTE)
    # What was recorded meanwhile counts, although it came in a batch before.
    assert downtime(database, hub)[0]["duration_s"] == pytest.approx(30 * 60, abs=5)


def test_a_heartbeat_is_a_sign_of_life_too(database: Connection, hub: int) -> None:
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    with acting_as(database, "device", hub):
        upload(database, "device_heartbeats", [row_of(hub, 99)])
    assert status(database, hub) == "online"
    assert downtime(database, hub)[0]["duration_s"] == pytest.approx(60 * 60, abs=5)


def test_behind_a_silent_hub_only_the_hub_is_told_of(database: Connection, hub: int, tank: int) -> None:
    for device_id in (hub, tank):
        hear(database, device_id, 60 * MINUTE)
    assert run_job(database)["offline"] == 2
    (alert,) = alerts(database)
    assert alert["device_id"] == hub
    assert alert["details"]["suppressed_device_ids"] == [tank]
    assert status(database, tank) == "offline"
    assert downtime(database, tank)[0]["reason"] == "behind hub, which is offline"
    hear(database, hub, MINUTE)
    hear(database, tank, MINUTE)
    run_job(database)
    assert len(alerts(database)) == 1
    assert downtime(database, tank)[0]["ended_at"] is not None


def test_the_hub_back_without_the_device_makes_the_device_speak(
    database: Connection, hub: int, tank: int
) -> None:
    for device_id in (hub, tank):
        hear(database, device_id, 60 * MINUTE)
    run_job(database)
    hear(database, hub, MINUTE)
    assert run_job(database)["offline_alerts"] == 1
    assert alerts(database, device_id=tank)[0]["is_active"]


def test_a_device_waits_for_the_verdict_on_its_hub(database: Connection, hub: int, tank: int) -> None:
    database.execute("update public.devices set offline_after_s = 60 where id = %s", (tank,))
    for device_id in (hub, tank):
        hear(database, device_id, 3 * MINUTE)
    run_job(database)
    assert status(database, tank) == "offline"
    assert alerts(database) == []
    hear(database, hub, timedelta())
    assert run_job(database)["offline_alerts"] == 1


@pytest.mark.parametrize("change", ["status = 'retired'", "revoked_at = now()"])
def test_what_is_out_of_service_raises_nothing(database: Connection, hub: int, change: str) -> None:
    hear(database, hub, 60 * MINUTE)
    database.execute(f"update public.devices set {change}".encode())
    assert run_job(database)["offline"] == 0
    assert alerts(database) == []


@pytest.mark.parametrize("change", ["status = 'retired'", "revoked_at = now()"])
def test_taking_a_device_out_of_service_ends_what_was_open(
    database: Connection, hub: int, change: str
) -> None:
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    database.execute(f"update public.devices set {change}".encode())
    assert run_job(database)["withdrawn_alerts"] == 1
    assert not alerts(database)[0]["is_active"]
    assert downtime(database, hub)[0]["ended_at"] is not None


def test_a_rule_says_how_bad_and_how_late(database: Connection, tenant: int, hub: int) -> None:
    offline = {"rule_type": "offline", "table_name": None, "metric": None}
    new_rule(database, tenant, **offline, severity="info", duration_s=7200)
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    assert status(database, hub) == "offline"
    assert alerts(database) == []
    database.execute("update public.alert_rules set duration_s = 3000")
    run_job(database)
    assert alerts(database)[0]["severity"] == "info"


def test_an_offline_alert_cleared_by_hand_stays_so(database: Connection, hub: int) -> None:
    hear(database, hub, 60 * MINUTE)
    run_job(database)
    database.execute("select public.resolve_alert(%s)", (alerts(database)[0]["id"],))
    assert run_job(database)["offline_alerts"] == 0
    assert len(alerts(database)) == 1


STALE = {"rule_type": "stale", "stale_after_s": 300}


def test_a_value_that_does_not_come_is_stale_until_it_comes(
    database: Connection, tenant: int, hub: int, tank: int
) -> None:
    new_rule(database, tenant, **STALE, device_id=tank)
    hear(database, hub, timedelta())
    hear(database, tank, 6 * MINUTE, ph=7)
    hear(database, tank, MINUTE, volume_l=100)
    assert run_job(database)["stale_alerts"] == 1
    (alert,) = alerts(database)
    assert alert["message"] == "No ph for 360 s, more than 300 s."
    assert run_job(database)["stale_alerts"] == 0
    hear(database, tank, 7 * MINUTE, ph=7)
    assert alerts(database)[0]["is_active"]
    hear(database, tank, MINUTE, ph=7)
    assert not alerts(database)[0]["is_active"]


def test_a_metric_never_sent_is_not_stale_unless_the_device_is_named(
    database: Connection, tenant: int, hub: int, tank: int
) -> None:
    new_rule(database, tenant, **STALE)
    hear(database, hub, timedelta())
    hear(database, tank, MINUTE, volume_l=100)
    run_job(database)
    assert alerts(database) == []
    named = new_rule(database, tenant, **STALE, device_id=tank)
    database.execute(
        "update public.alert_rules set created_at = now() - interval '1 hour' where id = %s", (named,)
    )
    assert run_job(database)["stale_alerts"] == 1


def test_a_rule_newer_than_the_last_value_watches_it_too(
    database: Connection, tenant: int, hub: int, tank: int
) -> None:
    hear(database, hub, timedelta())
    hear(database, tank, 6 * MINUTE, ph=7)
    new_rule(database, tenant, **STALE)
    assert run_job(database)["stale_alerts"] == 1


def test_values_behind_a_silent_hub_are_not_told_of(
    database: Connection, tenant: int, hub: int, tank: int
) -> None:
    new_rule(database, tenant, **STALE, kind="tank")
    for device_id in (hub, tank):
        hear(database, device_id, 10 * MINUTE, ph=7)
    assert run_job(database)["stale_alerts"] == 0
    hear(database, hub, timedelta())
    assert run_job(database)["stale_alerts"] == 1


def test_uptime_is_what_downtime_leaves(database: Connection, hub: int) -> None:
    database.execute("update public.devices set created_at = now() - interval '10 days'")
    midnight = datetime.now(UTC) - timedelta(days=2)
    for start, end in ((-1, 1), (5, 6), (23, 30)):
        database.execute(
            "insert into public.device_downtime (device_id, started_at, ended_at) values (%s, %s, %s)",
            (hub, midnight + timedelta(hours=start), midnight + timedelta(hours=end)),
        )
    query = "select * from public.device_uptime(%s, %s, %s)"
    found = database.execute(query, (hub, midnight, midnight + timedelta(days=1))).fetchone()
    assert found is not None
    assert found["total_s"] == 86400
    assert found["downtime_s"] == 3 * 3600
    assert found["uptime_share"] == pytest.approx(1 - 3 / 24)
    assert found["incidents"] == 3


def test_uptime_counts_neither_the_future_nor_before_the_device(database: Connection, hub: int) -> None:
    database.execute("update public.devices set created_at = now() - interval '100 seconds'")
    database.execute(
        "insert into public.device_downtime (device_id, started_at)"
        " values (%s, now() - interval '50 seconds')",
        (hub,),
    )
    found = database.execute(
        "select * from public.device_uptime(%s, now() - interval '1 day', now() + interval '1 day')", (hub,)
    ).fetchone()
    assert found == {"total_s": 100, "downtime_s": 50, "uptime_share": 0.5, "incidents": 1}


def test_the_report_adds_up_tenants_and_sites(database: Connection, tenant: int, hub: int, tank: int) -> None:
    database.execute("update public.devices set created_at = now() - interval '100 seconds'")
    site = one(
        database, "insert into public.sites (tenant_id, name) values (%s, 'yard') returning id", tenant
    )
    database.execute("update public.devices set site_id = %s where id = %s", (site, tank))
    database.execute(
        "insert into public.device_downtime (device_id, started_at)"
        " values (%s, now() - interval '50 seconds')",
        (tank,),
    )
    query = "select group_name, devices, uptime_share from public.sla_report('2026-01-01', now(), %s)"
    assert database.execute(query, ("tenant",)).fetchall() == [
        {"group_name": "farm", "devices": 2, "uptime_share": 0.75}
    ]
    assert database.execute(query, ("site",)).fetchall() == [
        {"group_name": "yard", "devices": 1, "uptime_share": 0.5},
        {"group_name": None, "devices": 1, "uptime_share": 1},
    ]
