"""What operators do about alerts, and what strangers cannot."""

from typing import Any

import psycopg
import pytest

from tests.supabase.fleet import alerts, new_device, new_rule, new_tenant, one, reading, send_ph
from tests.supabase.roles import Connection, Row, acting_as_person, new_person, upload

Denied = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def tenant(database: Connection) -> int:
    return new_tenant(database, "farm")


@pytest.fixture
def tank(database: Connection, tenant: int) -> int:
    return new_device(database, tenant, "tank", offline_after_s=86400)


@pytest.fixture
def rule(database: Connection, tenant: int) -> int:
    return new_rule(database, tenant)


@pytest.fixture
def alert(database: Connection, tank: int, rule: int) -> int:
    send_ph(database, tank, [(0, 9)])
    return int(alerts(database)[0]["id"])


@pytest.fixture
def operator(database: Connection, tenant: int) -> str:
    return str(new_person(database, "operator", tenant))


def events(database: Connection) -> list[Row]:
    return database.execute(
        "select event_type, user_id::text, note from public.alert_events order by id"
    ).fetchall()


def test_acknowledging_leaves_it_active(database: Connection, alert: int, operator: str) -> None:
    with acting_as_person(database, operator):
        database.execute("select public.acknowledge_alert(%s, 'on my way')", (alert,))
    (found,) = alerts(database)
    assert found["is_active"]
    assert found["is_acknowledged"]
    assert str(found["acknowledged_by"]) == operator
    assert events(database)[1:] == [{"event_type": "acknowledged", "user_id": operator, "note": "on my way"}]


def test_the_first_who_acknowledges_counts(
    database: Connection, tenant: int, alert: int, operator: str
) -> None:
    with acting_as_person(database, operator):
        database.execute("select public.acknowledge_alert(%s)", (alert,))
    before = alerts(database), events(database)
    with acting_as_person(database, new_person(database, "admin", tenant)):
        answer = one(database, "select (public.acknowledge_alert(%s)).acknowledged_by", alert)
    assert str(answer) == operator
    assert (alerts(database), events(database)) == before


def test_a_cleared_alert_can_still_be_acknowledged(
    database: Connection, tank: int, alert: int, operator: str
) -> None:
    send_ph(database, tank, [(60, 7)])
    with acting_as_person(database, operator):
        database.execute("select public.acknowledge_alert(%s)", (alert,))
    (found,) = alerts(database)
    assert (found["is_active"], found["is_acknowledged"]) == (False, True)


def test_resolving_ends_it_and_it_comes_again_after_the_cooldown(
    database: Connection, tank: int, alert: int, operator: str
) -> None:
    database.execute("update public.alert_rules set cooldown_s = 7300")
    with acting_as_person(database, operator):
        database.execute("select public.resolve_alert(%s, 'fixed')", (alert,))
        database.execute("select public.resolve_alert(%s, 'again')", (alert,))
    (found,) = alerts(database)
    assert not found["is_active"]
    assert str(found["resolved_by"]) == operator
    assert [event["event_type"] for event in events(database)] == ["raised", "resolved"]
    send_ph(database, tank, [(7300, 9)])
    assert len(alerts(database)) == 1
    database.execute("update private.alert_states set last_raised_at = last_raised_at - interval '3 hours'")
    send_ph(database, tank, [(7310, 9)])
    assert [alert["is_active"] for alert in alerts(database)] == [False, True]


@pytest.mark.parametrize("name", ["acknowledge_alert", "resolve_alert"])
def test_strangers_and_viewers_are_not_told_what_there_is(
    database: Connection, tenant: int, alert: int, name: str
) -> None:
    before = alerts(database)
    strangers = (
        new_person(database, "admin", new_tenant(database, "stranger")),
        new_person(database, "viewer", tenant),
        new_person(database, "operator", None),
    )
    for person in strangers:
        messages = []
        for alert_id in (alert, 10**15):
            with pytest.raises(Denied) as caught, acting_as_person(database, person):
                database.execute(f"select public.{name}(%s)".encode(), (alert_id,))
            told = caught.value.diag
            messages.append((str(told.message_primary).replace(str(alert_id), "?"), told.message_hint))
        assert messages[0] == messages[1]
    assert alerts(database) == before


def test_those_above_handle_the_alerts_of_those_below(database: Connection) -> None:
    above = new_tenant(database, "above", None, "distributor")
    below = new_tenant(database, "below", above)
    device = new_device(database, below, "device")
    new_rule(database, above)
    send_ph(database, device, [(0, 9)])
    with acting_as_person(database, new_person(database, "operator", above)):
        database.execute("select public.acknowledge_alert(%s)", (alerts(database)[0]["id"],))
    assert alerts(database)[0]["is_acknowledged"]


def test_people_read_the_alerts_of_their_tenants_and_write_none(
    database: Connection, tenant: int, alert: int
) -> None:
    tables = ("alerts", "alert_events")
    with acting_as_person(database, new_person(database, "viewer", tenant)):
        assert [one(database, f"select count(*) from public.{table}") for table in tables] == [1, 1]
    with acting_as_person(database, new_person(database, "viewer", new_tenant(database, "stranger"))):
        assert [one(database, f"select count(*) from public.{table}") for table in tables] == [0, 0]
    for table in (*tables, "alert_silences", "alert_notifications"):
        for statement in ("delete from", "update"):
            ending = " set id = 1" if statement == "update" else ""
            with (
                pytest.raises(Denied),
                acting_as_person(database, new_person(database, "admin", tenant)),
            ):
                database.execute(f"{statement} public.{table}{ending}".encode())


def add_recipient(database: Connection, tenant: int) -> None:
    database.execute(
        "insert into public.alert_notification_rules (tenant_id, channel_type, address)"
        " values (%s, 'email', 'a@example.org')",
        (tenant,),
    )


def pending(database: Connection) -> int:
    return int(one(database, "select count(*) from public.alert_notifications where status = 'pending'"))


SILENCE = "select public.silence_alerts(now() + interval '1 hour', 'at work', %s, %s)"


@pytest.mark.parametrize("scope", ["device", "rule", "both"])
def test_a_silent_alert_is_raised_and_nobody_is_told(
    database: Connection, tenant: int, tank: int, rule: int, operator: str, scope: str
) -> None:
    add_recipient(database, tenant)
    with acting_as_person(database, operator):
        database.execute(SILENCE, (tank if scope != "rule" else None, rule if scope != "device" else None))
    send_ph(database, tank, [(0, 9)])
    assert alerts(database)[0]["silenced_until"] is not None
    assert pending(database) == 0
    other = new_device(database, tenant, "other")
    send_ph(database, other, [(0, 9)])
    assert pending(database) == (0 if scope == "rule" else 1)


def test_an_alert_that_outlasts_its_silence_is_told(
    database: Connection, tenant: int, tank: int, rule: int, operator: str
) -> None:
    add_recipient(database, tenant)
    send_ph(database, tank, [(0, 9)])
    assert pending(database) == 1
    with acting_as_person(database, operator):
        database.execute(SILENCE, (tank, None))
        database.execute(SILENCE, (tank, None))
    assert pending(database) == 0
    database.execute("select private.find_silent()")
    assert pending(database) == 0
    with acting_as_person(database, operator):
        database.execute("select public.silence_alerts(now(), 'done', %s)", (tank,))
    assert one(database, "select private.find_silent() -> 'ended_silences'") == 1
    assert pending(database) == 1
    assert one(database, "select count(*) from public.alert_silences") == 1


def test_what_is_over_before_the_silence_ends_is_never_told(
    database: Connection, tenant: int, tank: int, rule: int
) -> None:
    add_recipient(database, tenant)
    database.execute(SILENCE, (tank, None))
    send_ph(database, tank, [(0, 9), (7000, 7)])
    database.execute("select public.silence_alerts(now(), 'done', %s)", (tank,))
    assert one(database, "select private.find_silent() -> 'ended_silences'") == 0
    assert one(database, "select count(*) from public.alert_notifications") == 0


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "select public.silence_alerts(now() + interval '2 years', 'x', {device})",
            psycopg.errors.CheckViolation,
        ),
        ("select public.silence_alerts(null, 'x', {device})", psycopg.errors.CheckViolation),
        ("select public.silence_alerts('infinity', 'x', {device})", psycopg.errors.CheckViolation),
        ("select public.silence_alerts(now(), '', {device})", psycopg.errors.CheckViolation),
        ("select public.silence_alerts(now(), 'x')", Denied),
    ],
)
def test_a_silence_is_of_something_and_ends(
    database: Connection, tank: int, operator: str, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error), acting_as_person(database, operator):
        database.execute(statement.format(device=tank).encode())


def test_nobody_silences_strangers_or_those_above(
    database: Connection, tank: int, rule: int, operator: str
) -> None:
    stranger = new_person(database, "admin", new_tenant(database, "stranger"))
    attempts: list[tuple[str, tuple[Any, Any]]] = [
        (stranger, (tank, None)),
        (stranger, (None, rule)),
        (stranger, (tank, rule)),
        (stranger, (10**9, None)),
        (operator, (10**9, rule)),
        (operator, (tank, 10**9)),
    ]
    messages = set()
    for person, scope in attempts:
        with pytest.raises(Denied) as caught, acting_as_person(database, person):
            database.execute(SILENCE, scope)
        messages.add(caught.value.diag.message_primary)
    assert len(messages) == 1


def test_a_rule_from_above_is_silenced_for_ones_own_devices_only(database: Connection) -> None:
    above = new_tenant(database, "above", None, "distributor")
    below = new_tenant(database, "below", above)
    device, rule = new_device(database, below, "device"), new_rule(database, above)
    person = new_person(database, "operator", below)
    with pytest.raises(Denied), acting_as_person(database, person):
        database.execute(SILENCE, (None, rule))
    with acting_as_person(database, person):
        database.execute(SILENCE, (device, rule))


@pytest.mark.parametrize("query", ["device_uptime(%s, '2026-01-01', now())", "device_health(%s)"])
def test_people_ask_about_their_devices_only(
    database: Connection, tenant: int, tank: int, query: str
) -> None:
    database.execute("update public.devices set created_at = now() - interval '1 day'")
    upload(database, "telemetry_tank", [reading(tank, 1, 0, ph=7)])
    statement = f"select count(*) from public.{query}"
    with acting_as_person(database, new_person(database, "viewer", tenant)):
        assert one(database, statement, tank) == 1
    with acting_as_person(database, new_person(database, "admin", new_tenant(database, "stranger"))):
        assert one(database, statement, tank) == 0
        assert one(database, "select count(*) from public.sla_report('2026-01-01', now())") == 0
        assert one(database, "select count(*) from public.device_health()") == 0


def test_whose_an_alert_is_is_asked_of_an_index(database: Connection) -> None:
    database.execute("set local enable_seqscan = off")
    with acting_as_person(database, new_person(database, "superadmin", None)):
        for condition in ("true", "is_active"):
            statement = f"explain select * from public.alerts where {condition}"
            plan = "\n".join(row["QUERY PLAN"] for row in database.execute(statement.encode()))
            assert "Index Cond: (COALESCE(device_id, 0)" in plan
            assert "Filter: (" not in plan.replace("One-Time Filter", "")
