"""The audit log says who did what and from where, and stays as it was written."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.supabase.fleet import insert
from tests.supabase.orders import (
    Site,
    approve,
    audited,
    call,
    claim,
    command,
    new_site,
    order,
    report,
)
from tests.supabase.roles import Connection, acting_as, acting_as_person

Denied = psycopg.errors.InsufficientPrivilege
HEADERS = {
    "x-forwarded-for": "203.0.113.9, 10.0.0.1",
    "user-agent": "Mozilla/5.0",
    "x-request-id": "6f1c-77",
}


@pytest.fixture
def site(database: Connection) -> Site:
    return new_site(database)


def from_where(database: Connection, headers: object = HEADERS) -> None:
    """Come with these headers until the end of the test, as the REST server passes them on."""
    text = headers if isinstance(headers, str) else json.dumps(headers)
    database.execute("select set_config('request.headers', %s, true)", (text,))


def note(database: Connection, details: object = None, resource_type: str = "x") -> dict[str, Any]:
    database.execute(
        "select private.note_audit('access', %s, '1', %s)", (resource_type, json.dumps(details or {}))
    )
    found = database.execute("select * from public.audit_logs order by id desc limit 1").fetchone()
    assert found is not None
    return found


def test_every_step_of_a_command_is_noted_with_actor_address_and_request(
    database: Connection, site: Site
) -> None:
    from_where(database)
    args = {"address": 1, "value": 2}
    ordered = order(database, site.operator, site.tank, "write_register", args=args)["id"]
    approve(database, site.admin, ordered)
    claim(database, site.hub)
    report(database, site.hub, ordered, "executing")
    report(database, site.hub, ordered, "executed")
    with acting_as_person(database, site.admin):
        again = call(database, "resend_command", command_id=ordered)["id"]
        call(database, "cancel_command", command_id=again)

    entries = audited(database, "device_commands", ordered)
    person, hub = ("person", str(site.operator)), ("device", str(site.hub))
    assert [(entry["actor_type"], entry["actor_id"]) for entry in entries] == [person, hub, hub, hub]
    assert [entry["details"]["status"] for entry in entries] == ["pending", "sent", "executing", "executed"]
    assert entries[0]["action_type"] == "create"
    assert entries[0]["details"]["args"] == args
    (approval,) = audited(database, "command_approvals", ordered)
    assert (approval["actor_id"], approval["details"]["is_approved"]) == (str(site.admin), True)
    repeated = audited(database, "device_commands", again)
    assert [entry["details"]["status"] for entry in repeated] == ["pending", "cancelled"]
    assert repeated[0]["details"]["resend_of"] == ordered
    for entry in [*entries, approval, *repeated]:
        assert entry["tenant_id"] == site.tenant
        assert str(entry["ip_address"]) == "203.0.113.9"
        assert (entry["user_agent"], entry["request_id"]) == ("Mozilla/5.0", "6f1c-77")


def test_a_status_that_a_device_sets_directly_is_noted_too(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank)["id"]
    claim(database, site.hub)
    with acting_as(database, "device", site.hub):
        database.execute("update public.device_commands set status = 'failed'")
    last = audited(database, "device_commands", ordered)[-1]
    assert (last["actor_type"], last["details"]["status"]) == ("device", "failed")


def test_a_refused_order_leaves_no_entry(database: Connection, site: Site) -> None:
    before = database.execute("select count(*) as entries from public.audit_logs").fetchone()
    with pytest.raises(Denied):
        order(database, site.viewer, site.tank)
    assert database.execute("select count(*) as entries from public.audit_logs").fetchone() == before


def test_giving_and_taking_a_role_is_noted(database: Connection, site: Site) -> None:
    with acting_as_person(database, site.admin):
        call(
            database,
            "assign_role",
            email=f"{site.viewer}@example.org",
            role="operator",
            tenant_id=site.tenant,
        )
    with acting_as_person(database, site.superadmin):
        call(database, "dismiss_person", email=f"{site.viewer}@example.org")
    given, taken = audited(database, "profiles", site.viewer)
    assert (given["actor_id"], given["details"]["role_before"]) == (str(site.admin), "viewer")
    assert (taken["actor_id"], taken["tenant_id"]) == (str(site.superadmin), site.tenant)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 , 10.0.0.1", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711, 10.0.0.1", "2001:db8::1"),
        ("", None),
        (",", None),
        ("unknown", None),
        ("999.1.1.1", None),
        ("'; drop table public.audit_logs; --", None),
        ("9" * 100_000, None),
        (["203.0.113.9"], None),
        (None, None),
    ],
)
def test_an_address_is_read_where_there_is_one(
    database: Connection, forwarded: object, address: str | None
) -> None:
    from_where(database, {"x-forwarded-for": forwarded})
    found = note(database)["ip_address"]
    assert (None if found is None else str(found)) == address


@pytest.mark.parametrize(
    "headers", ["", "{", "null", "7", '"text"', "[]", "{}", '{"a":"\\u0000"}', "[" * 200_000]
)
def test_headers_that_are_nonsense_do_not_stop_what_is_done(database: Connection, headers: str) -> None:
    from_where(database, headers)
    entry = note(database)
    assert (entry["ip_address"], entry["user_agent"], entry["request_id"]) == (None, None, None)


def test_long_headers_and_details_are_cut(database: Connection) -> None:
    from_where(database, {"user-agent": "ä" * 10_000, "x-request-id": "y" * 10_000})
    entry = note(database, {"x": "y" * 100_000})
    assert (len(entry["user_agent"]), len(entry["request_id"])) == (500, 200)
    assert entry["details"]["is_too_long"] is True


@pytest.mark.parametrize(
    ("claims", "actor"),
    [
        ('{"role": "service_role"}', ("service", "service_role")),
        ('{"role": "service_role", "sub": "not an id"}', ("service", "service_role")),
        ('{"role": "device", "device_id": 7}', ("device", "7")),
        ("", ("service", "postgres")),
    ],
)
def test_the_actor_is_who_the_token_says(database: Connection, claims: str, actor: tuple[str, str]) -> None:
    database.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
    entry = note(database)
    assert (entry["actor_type"], entry["actor_id"]) == actor


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.audit_logs (resource_type) values ('x')",
        "update public.audit_logs set actor_id = 'somebody else'",
        "delete from public.audit_logs",
        "truncate public.audit_logs",
        "select private.note_audit('access', 'x', '1')",
        "select * from private.audit_forwards",
    ],
)
def test_no_role_of_the_api_writes_the_log(database: Connection, site: Site, statement: str) -> None:
    for role in ("anon", "authenticated", "device", "service_role"):
        with pytest.raises(Denied), acting_as(database, role, site.hub):
            database.execute(statement.encode())
    with pytest.raises(Denied), acting_as_person(database, site.superadmin):
        database.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        b"update public.audit_logs set actor_id = 'somebody else'",
        b"delete from public.audit_logs",
        b"truncate public.audit_logs cascade",
    ],
)
def test_not_even_the_owner_changes_an_entry(database: Connection, statement: bytes) -> None:
    note(database)
    with pytest.raises(Denied, match="cannot be changed"), database.transaction():
        database.execute(statement)


def test_the_retention_deletes_what_is_old(database: Connection) -> None:
    database.execute(
        """
        insert into public.audit_logs (occurred_at, actor_type, action_type, resource_type)
        values (now() - interval '31 days', 'service', 'access', 'x')
        """
    )
    assert database.execute("delete from public.audit_logs where resource_type = 'x'").rowcount == 1


def test_admins_read_their_tenants_and_superadmins_everything(database: Connection, site: Site) -> None:
    entries = [
        note(database, {"device_id": site.tank})["id"],
        note(database, {"device_id": site.other_hub})["id"],
        note(database)["id"],
    ]
    seen: dict[UUID, list[int]] = {
        site.viewer: [],
        site.operator: [],
        site.admin: entries[:1],
        site.other_admin: entries[1:2],
        site.superadmin: entries,
    }
    for person, expected in seen.items():
        with acting_as_person(database, person):
            found = database.execute("select id from public.audit_logs where resource_type = 'x' order by id")
            assert [row["id"] for row in found] == expected
    with pytest.raises(Denied), acting_as(database, "device", site.hub):
        database.execute("select * from public.audit_logs")


def test_a_changed_row_is_noted_with_what_changed(database: Connection, site: Site) -> None:
    with acting_as_person(database, site.admin):
        database.execute("update public.devices set name = 'New', floor = '2' where id = %s", (site.tank,))
        database.execute("update public.devices set name = 'New' where id = %s", (site.tank,))
    entry = audited(database, "devices", site.tank)[-1]
    assert entry["details"] == {
        "before": {"name": "tank", "floor": None},
        "after": {"name": "New", "floor": "2"},
    }
    assert (entry["actor_id"], entry["tenant_id"]) == (str(site.admin), site.tenant)
    assert len(audited(database, "devices", site.tank)) == 2


def test_rows_that_come_and_go_are_noted(database: Connection, site: Site) -> None:
    with acting_as_person(database, site.operator):
        tag = database.execute(
            "insert into public.device_tags (device_id, tag_name) values (%s, 'zone') returning id",
            (site.tank,),
        ).fetchone()
        assert tag is not None
        database.execute("delete from public.device_tags")
    made, gone = audited(database, "device_tags", tag["id"])
    assert (made["action_type"], gone["action_type"]) == ("create", "delete")
    assert made["tenant_id"] == gone["tenant_id"] == site.tenant
    assert made["details"]["after"] == gone["details"]["before"]


def test_a_new_tenant_is_noted_for_those_who_may_see_it(database: Connection, site: Site) -> None:
    with acting_as_person(database, site.superadmin):
        database.execute("insert into public.tenants (tenant_type, name) values ('customer', 'New')")
        made = database.execute("select id from public.tenants where name = 'New'").fetchone()
        assert made is not None
        database.execute("delete from public.tenants where id = %s", (made["id"],))
    created, deleted = audited(database, "tenants", made["id"])
    assert (created["tenant_id"], deleted["tenant_id"]) == (made["id"], None)


def test_a_first_row_makes_a_device_active_without_an_entry(database: Connection, site: Site) -> None:
    before = len(audited(database, "devices", site.tank))
    activate = b"update public.devices set status = 'active' where id = %s"
    with acting_as_person(database, site.admin):
        database.execute(activate, (site.tank,))
    assert len(audited(database, "devices", site.tank)) == before + 1
    database.execute(activate, (site.hub,))
    assert audited(database, "devices", site.hub)[-1]["details"]["after"] != {"status": "active"}


def test_a_secret_that_changed_is_told_and_not_shown(database: Connection) -> None:
    database.execute(
        "create table public.doors (door_id integer primary key, pin text, lock_secret text, name text)"
    )
    database.execute("select private.audit_table('doors', array['pin'])")
    database.execute("insert into public.doors values (7, '1111', 'aaa', 'Gate')")
    database.execute("update public.doors set pin = '2222', lock_secret = 'bbb'")
    created, updated = audited(database, "doors", 7)
    hidden = {"pin": "(not shown)", "lock_secret": "(not shown)"}
    assert created["details"]["after"] == {"door_id": 7, "name": "Gate", **hidden}
    assert updated["details"] == {"before": hidden, "after": hidden}


def test_who_changes_what_raises_an_alert_is_noted(database: Connection, site: Site) -> None:
    values = {"name": "too high", "rule_type": "offline", "severity": "critical"}
    with acting_as_person(database, site.admin):
        database.execute(
            "insert into public.alert_rules (tenant_id, name, rule_type, severity)"
            " values (%(tenant_id)s, %(name)s, %(rule_type)s, %(severity)s)",
            {"tenant_id": site.tenant, **values},
        )
        database.execute("update public.alert_rules set severity = 'info'")
        database.execute("update public.alert_rules set is_enabled = false, severity = 'info'")
        database.execute("delete from public.alert_rules")
    made, called, stopped, gone = database.execute(
        "select * from public.audit_logs where resource_type = 'alert_rules' order by id"
    )
    assert values.items() <= made["details"]["after"].items()
    assert called["details"] == {"before": {"severity": "critical"}, "after": {"severity": "info"}}
    assert stopped["details"] == {"before": {"is_enabled": True}, "after": {"is_enabled": False}}
    assert [entry["action_type"] for entry in (made, stopped, gone)] == ["create", "update", "delete"]
    for entry in (made, called, stopped, gone):
        assert (entry["actor_id"], entry["tenant_id"]) == (str(site.admin), site.tenant)


def test_who_is_told_of_alerts_is_noted_without_addresses(database: Connection, site: Site) -> None:
    with acting_as_person(database, site.viewer):
        database.execute(
            "insert into public.alert_notification_rules (tenant_id, user_id, channel_type, address)"
            " values (%s, %s, 'webhook', 'https://example.org/?key=1')",
            (site.tenant, site.viewer),
        )
        database.execute("update public.alert_notification_rules set address = 'https://example.org/?key=2'")
    made, moved = database.execute(
        "select * from public.audit_logs where resource_type = 'alert_notification_rules' order by id"
    )
    assert made["details"]["after"]["channel_type"] == "webhook"
    assert moved["details"] == {"before": {"address": "(not shown)"}, "after": {"address": "(not shown)"}}
    assert (moved["actor_id"], moved["tenant_id"]) == (str(site.viewer), site.tenant)
    assert "example.org" not in str([made, moved])


@pytest.mark.parametrize("of", ["device", "rule"])
def test_a_silence_is_noted_with_its_reason(database: Connection, site: Site, of: str) -> None:
    rule = insert(database, "alert_rules", tenant_id=site.tenant, name="silent", rule_type="offline")
    silenced = {"device_id": site.tank} if of == "device" else {"rule_id": rule}
    with acting_as_person(database, site.superadmin):
        for reason in ("cleaning", "cleaning goes on"):
            arguments = {"until_time": "tomorrow", "reason": reason, **silenced}
            silence = call(database, "silence_alerts", **arguments)["id"]
    made, prolonged = audited(database, "alert_silences", silence)
    assert made["details"]["after"]["reason"] == "cleaning"
    assert prolonged["details"]["after"]["reason"] == "cleaning goes on"
    assert (made["tenant_id"], prolonged["tenant_id"]) == (site.tenant, site.tenant)


def test_what_sets_devices_up_is_audited(database: Connection) -> None:
    found = database.execute(
        "select tgrelid::regclass::text as name from pg_trigger where tgname = 'audit_change' order by 1"
    )
    assert {
        "tenants",
        "sites",
        "devices",
        "device_calibrations",
        "device_tags",
        "device_tank_settings",
        "device_flow_settings",
        "device_deep_settings",
        "device_footfall_settings",
        "command_types",
        "alert_rules",
        "alert_notification_rules",
        "alert_silences",
    } <= {row["name"] for row in found}


def test_a_command_that_expires_is_noted_as_the_doing_of_the_service(
    database: Connection, site: Site
) -> None:
    ordered = order(database, site.operator, site.tank)["id"]
    database.execute("update public.device_commands set status = 'expired' where id = %s", (ordered,))
    assert command(database, ordered)["status"] == "expired"
    assert audited(database, "device_commands", ordered)[-1]["actor_type"] == "service"
