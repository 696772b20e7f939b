"""Who is told of an alert, and how the queue delivers."""

from typing import Any

import psycopg
import pytest

from tests.supabase.fleet import insert, new_device, new_rule, new_tenant, one, send_ph
from tests.supabase.roles import Connection, Row, acting_as_person, new_person

Denied = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def tenant(database: Connection) -> int:
    return new_tenant(database, "farm")


@pytest.fixture
def tank(database: Connection, tenant: int) -> int:
    device = new_device(database, tenant, "tank")
    database.execute(
        "insert into public.device_tags (device_id, tag_name, tag_value) values (%s, 'zone', 'north')",
        (device,),
    )
    new_rule(database, tenant)
    return device


def add(database: Connection, tenant_id: int | None, **values: Any) -> int:
    given = {"channel_type": "email", "address": "a@example.org", **values}
    return int(insert(database, "alert_notification_rules", tenant_id=tenant_id, **given))


def queue(database: Connection) -> list[Row]:
    return database.execute("select * from public.alert_notifications order by id").fetchall()


def claim(database: Connection, batch_size: int = 10) -> list[Row]:
    return database.execute("select * from public.claim_notifications(%s)", (batch_size,)).fetchall()


def settle(database: Connection, notification: Row, is_sent: bool, error: str | None = None) -> None:
    database.execute(
        "select public.settle_notification(%s, %s, %s, %s)",
        (notification["notification_id"], notification["attempts"], is_sent, error),
    )


def pass_time(database: Connection, interval: str) -> None:
    """Let time pass for the queue; now() stands still within a transaction."""
    database.execute(
        "update public.alert_notifications set next_attempt_at = next_attempt_at - %s::interval", (interval,)
    )


@pytest.mark.parametrize(
    ("channel_type", "address", "is_taken"),
    [
        ("email", "someone+x@mail.example.org", True),
        ("email", "someone", False),
        ("email", "a@b@example.org", False),
        ("email", "a@example.org\nBcc: all@example.org", False),
        ("email", "a@example.org,b@example.org", False),
        ("sms", "+491701234567", True),
        ("sms", "0170 1234567", False),
        ("webhook", "https://hooks.example.org/in?key=1", True),
        ("webhook", "http://hooks.example.org/in", False),
        ("webhook", "https://user:password@example.org/", False),
        ("webhook", "https://example.org/a b", False),
        ("webhook", "file:///etc/passwd", False),
        ("bot", "-1001234567890", True),
        ("bot", "@water_alerts", True),
        ("bot", "@x y", False),
        ("pigeon", "roof", False),
    ],
)
def test_an_address_is_one_of_its_channel(
    database: Connection, tenant: int, channel_type: str, address: str, is_taken: bool
) -> None:
    if is_taken:
        add(database, tenant, channel_type=channel_type, address=address)
    else:
        with pytest.raises(psycopg.errors.CheckViolation):
            add(database, tenant, channel_type=channel_type, address=address)


def test_a_time_zone_exists(database: Connection, tenant: int) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match='no time zone "Mars/Base"'):
        add(database, tenant, time_zone="Mars/Base")


@pytest.mark.parametrize(
    ("narrowing", "is_told"),
    [
        ({}, True),
        ({"severity_min": "critical"}, False),
        ({"severity_min": "info"}, True),
        ({"tag_name": "zone"}, True),
        ({"tag_name": "zone", "tag_value": "south"}, False),
        ({"is_enabled": False}, False),
    ],
    ids=str,
)
def test_alerts_are_routed_by_severity_and_tag(
    database: Connection, tenant: int, tank: int, narrowing: dict[str, Any], is_told: bool
) -> None:
    add(database, tenant, **narrowing)
    send_ph(database, tank, [(0, 9)])
    assert len(queue(database)) == is_told


def test_alerts_are_routed_by_site(database: Connection, tenant: int, tank: int) -> None:
    here, there = (insert(database, "sites", tenant_id=tenant, name=name) for name in ("here", "there"))
    database.execute("update public.devices set site_id = %s", (here,))
    wanted = add(database, tenant, site_id=here)
    add(database, tenant, site_id=there)
    send_ph(database, tank, [(0, 9)])
    assert [entry["notification_rule_id"] for entry in queue(database)] == [wanted]


def test_those_above_are_told_and_neighbours_are_not(database: Connection) -> None:
    above = new_tenant(database, "above", None, "distributor")
    below, neighbour = new_tenant(database, "below", above), new_tenant(database, "neighbour", above)
    new_rule(database, above)
    wanted = [add(database, above), add(database, below)]
    add(database, neighbour)
    send_ph(database, new_device(database, below, "device"), [(0, 9)])
    assert sorted(entry["notification_rule_id"] for entry in queue(database)) == wanted


def test_whoever_left_is_told_nothing(database: Connection, tenant: int, tank: int) -> None:
    member, dismissed = new_person(database, "viewer", tenant), new_person(database, "viewer", tenant)
    moved = new_person(database, "viewer", new_tenant(database, "elsewhere"))
    wanted = add(database, tenant, user_id=member)
    add(database, tenant, user_id=dismissed)
    add(database, tenant, user_id=moved)
    database.execute("update public.profiles set is_active = false where id = %s", (dismissed,))
    send_ph(database, tank, [(0, 9)])
    assert [entry["notification_rule_id"] for entry in queue(database)] == [wanted]


def test_the_end_is_told_to_those_who_want_it(database: Connection, tenant: int, tank: int) -> None:
    wanted = add(database, tenant)
    add(database, tenant, is_told_of_clearing=False)
    send_ph(database, tank, [(0, 9)])
    add(database, tenant)
    send_ph(database, tank, [(7000, 7)])
    ends = [entry for entry in queue(database) if entry["event_type"] == "cleared"]
    assert [entry["notification_rule_id"] for entry in ends] == [wanted]
    assert [row["title"] for row in claim(database)][-1] == "Over: tank: too high"


def test_what_was_over_before_it_was_known_wakes_nobody(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9), (60, 7)])
    assert queue(database) == []


def test_quiet_hours_hold_back_all_but_critical_alerts(database: Connection, tenant: int, tank: int) -> None:
    around_now = one(
        database,
        "select array[(now() at time zone 'Asia/Tokyo' - interval '1 hour')::time,"
        " (now() at time zone 'Asia/Tokyo' + interval '2 hours')::time]",
    )
    quiet = {"quiet_from": around_now[0], "quiet_until": around_now[1], "time_zone": "Asia/Tokyo"}
    add(database, tenant, **quiet)
    send_ph(database, tank, [(0, 9)])
    assert claim(database) == []
    waits = one(
        database, "select extract(epoch from next_attempt_at - now()) from public.alert_notifications"
    )
    assert float(waits) == pytest.approx(7200)
    send_ph(database, tank, [(7000, 7)])
    assert queue(database) == []
    database.execute("update public.alert_rules set severity = 'critical'")
    send_ph(database, tank, [(7100, 9)])
    assert len(claim(database)) == 1


@pytest.mark.parametrize(
    ("hours", "wait_hours"),
    [((-1, 1), 1), ((1, 2), 0), ((-2, -1), 0), ((-20, 1), 1), ((2, -1), 0), ((-1, -2), 22)],
)
def test_quiet_hours_may_reach_over_midnight(
    database: Connection, hours: tuple[int, int], wait_hours: int
) -> None:
    waits = one(
        database,
        "select extract(epoch from private.after_quiet_hours((t.now + %s * interval '1 hour')::time,"
        " (t.now + %s * interval '1 hour')::time, 'America/Bogota') - now())"
        " from (select now() at time zone 'America/Bogota' as now) as t",
        *hours,
    )
    assert float(waits) == pytest.approx(wait_hours * 3600)


def note_system(database: Connection, is_active: bool) -> None:
    database.execute("select private.note_system_alert('job_x', 'it stands still', %s)", (is_active,))


def test_what_is_wrong_with_the_cloud_is_told_to_rules_of_no_tenant(
    database: Connection, tenant: int, tank: int
) -> None:
    superadmin, former = (new_person(database, "superadmin", None) for _ in range(2))
    database.execute(
        "update public.profiles set role = 'admin', tenant_id = %s where id = %s", (tenant, former)
    )
    wanted = [add(database, None), add(database, None, user_id=superadmin)]
    add(database, None, user_id=former)
    of_devices = [add(database, tenant), add(database, tenant, user_id=superadmin)]
    send_ph(database, tank, [(0, 9)])
    assert [entry["notification_rule_id"] for entry in queue(database)] == of_devices
    database.execute("delete from public.alert_notifications")

    for _ in range(2):
        note_system(database, is_active=True)
    assert [row["title"] for row in claim(database)] == ["job_x", "job_x"]
    for _ in range(2):
        note_system(database, is_active=False)
    told = [(row["title"], row["body"], row["payload"]["device_id"]) for row in claim(database)]
    assert told == [("Over: job_x", "it stands still", None)] * 2
    assert {entry["notification_rule_id"] for entry in queue(database)} == set(wanted)


def test_only_superadmins_keep_rules_of_no_tenant(database: Connection, tenant: int) -> None:
    superadmin, admin = new_person(database, "superadmin", None), new_person(database, "admin", tenant)
    statement = (
        "insert into public.alert_notification_rules (user_id, channel_type, address)"
        " values (%s, 'email', 'a@example.org')"
    )
    with acting_as_person(database, superadmin):
        database.execute(statement, (superadmin,))
    with pytest.raises(Denied), acting_as_person(database, admin):
        database.execute(statement, (admin,))
    note_system(database, is_active=True)
    seen = []
    for who in (superadmin, admin):
        with acting_as_person(database, who):
            seen += [
                one(database, "select count(*) from public.alert_notification_rules"),
                one(database, "select count(*) from public.alert_notifications"),
                database.execute("update public.alert_notification_rules set is_enabled = false").rowcount,
            ]
    assert seen == [1, 1, 1, 0, 0, 0]
    with pytest.raises(psycopg.errors.CheckViolation, match="of_devices_or_the_system"):
        add(database, None, tag_name="zone")


def test_a_claim_says_all_that_a_message_needs(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant, channel_type="webhook", address="https://example.org/in")
    send_ph(database, tank, [(0, 9)])
    (claimed,) = claim(database)
    payload = claimed.pop("payload")
    del claimed["notification_id"]
    assert claimed == {
        "channel_type": "webhook",
        "address": "https://example.org/in",
        "severity": "warning",
        "title": "tank: too high",
        "body": "ph is 9, above 8.",
        "attempts": 1,
    }
    assert payload["device_key"] == "tank"
    assert payload["event_type"] == "raised"


def test_a_lease_ends_after_a_minute(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    assert len(claim(database)) == 1
    pass_time(database, "59 seconds")
    assert claim(database) == []
    pass_time(database, "1 second")
    assert [row["attempts"] for row in claim(database)] == [2]


def test_what_is_sent_is_not_sent_again(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    (claimed,) = claim(database)
    settle(database, claimed, is_sent=True)
    settle(database, claimed, is_sent=False, error="too late to say so")
    pass_time(database, "1 day")
    assert claim(database) == []
    assert queue(database)[0]["status"] == "sent"


@pytest.mark.parametrize("is_sent", [True, False])
def test_who_settles_too_late_changes_nothing_of_what_another_has_claimed(
    database: Connection, tenant: int, tank: int, is_sent: bool
) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    (late,) = claim(database)
    pass_time(database, "60 seconds")
    (mine,) = claim(database)
    settle(database, late, is_sent=is_sent, error="no answer")
    (held,) = queue(database)
    assert (held["status"], held["last_error"], held["sent_at"]) == ("leased", None, None)
    assert claim(database) == []
    settle(database, mine, is_sent=True)
    assert queue(database)[0]["status"] == "sent"


def test_failures_are_tried_again_ever_later_and_end(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    for minutes in (1, 2, 4, 8):
        (claimed,) = claim(database)
        settle(database, claimed, is_sent=False, error="no answer" * 100)
        pass_time(database, f"{minutes * 60 - 1} seconds")
        assert claim(database) == []
        pass_time(database, "1 second")
    (claimed,) = claim(database)
    assert claimed["attempts"] == 5
    settle(database, claimed, is_sent=False, error="no answer")
    pass_time(database, "1 day")
    assert claim(database) == []
    assert (queue(database)[0]["status"], queue(database)[0]["last_error"]) == ("failed", "no answer")


def test_a_worker_that_dies_five_times_ends_it_too(database: Connection, tenant: int, tank: int) -> None:
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    for _ in range(5):
        assert len(claim(database)) == 1
        pass_time(database, "1 minute")
    assert claim(database) == []
    assert queue(database)[0]["status"] == "failed"


def test_admins_keep_those_of_the_tenant_and_people_their_own(database: Connection, tenant: int) -> None:
    person, admin = new_person(database, "viewer", tenant), new_person(database, "admin", tenant)
    stranger = new_person(database, "admin", new_tenant(database, "stranger"))
    statement = (
        "insert into public.alert_notification_rules (tenant_id, user_id, channel_type, address)"
        " values (%s, %s, 'email', 'a@example.org')"
    )
    with acting_as_person(database, person):
        database.execute(statement, (tenant, person))
    with acting_as_person(database, admin):
        database.execute(statement, (tenant, None))
    for who, of_whom in ((person, None), (person, admin), (stranger, None), (stranger, stranger)):
        with pytest.raises(Denied), acting_as_person(database, who):
            database.execute(statement, (tenant, of_whom))
    seen = []
    for who in (person, admin, stranger):
        with acting_as_person(database, who):
            seen.append(one(database, "select count(*) from public.alert_notification_rules"))
            assert (
                database.execute("update public.alert_notification_rules set is_enabled = false").rowcount
                == seen[-1]
            )
    assert seen == [1, 2, 0]


def test_the_queue_is_read_by_those_whose_rules_filled_it(
    database: Connection, tenant: int, tank: int
) -> None:
    person, admin = new_person(database, "viewer", tenant), new_person(database, "admin", tenant)
    add(database, tenant, user_id=person)
    add(database, tenant)
    send_ph(database, tank, [(0, 9)])
    seen = []
    for who in (person, admin, new_person(database, "operator", tenant)):
        with acting_as_person(database, who):
            seen.append(one(database, "select count(*) from public.alert_notifications"))
    assert seen == [1, 2, 0]


def test_nobody_has_more_rules_than_a_batch_can_bear(database: Connection, tenant: int) -> None:
    viewer, admin = new_person(database, "viewer", tenant), new_person(database, "admin", tenant)
    statement = """
        insert into public.alert_notification_rules (tenant_id, user_id, channel_type, address)
        select %s, %s, 'sms', '+4917' || 10000000 + number from generate_series(1, %s) as number
    """
    for person, owner in ((viewer, viewer), (admin, None)):
        with acting_as_person(database, person):
            database.execute(statement, (tenant, owner, 50))
        with pytest.raises(psycopg.errors.CheckViolation, match="50"), acting_as_person(database, person):
            database.execute(statement, (tenant, owner, 1))
    with acting_as_person(database, admin):
        database.execute(statement, (tenant, admin, 1))
