"""Who may order what of which device, and what a second person has to say about it."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.supabase.orders import (
    Site,
    approve,
    call,
    claim,
    command,
    ear,
    history,
    move,
    new_site,
    order,
    statuses,
)
from tests.supabase.roles import Connection, acting_as, acting_as_person, count

Denied = psycopg.errors.InsufficientPrivilege
Wrong = psycopg.errors.CheckViolation
WRITE = {"address": 40, "value": 7}


@pytest.fixture
def site(database: Connection) -> Site:
    return new_site(database)


def cancel(database: Connection, person: UUID, command_id: int) -> dict[str, Any]:
    with acting_as_person(database, person):
        return call(database, "cancel_command", command_id=command_id)


def resend(database: Connection, person: UUID, command_id: int, **arguments: Any) -> dict[str, Any]:
    with acting_as_person(database, person):
        return call(database, "resend_command", command_id=command_id, **arguments)


def test_an_operator_orders_what_is_harmless_and_the_hub_may_have_it_at_once(
    database: Connection, site: Site
) -> None:
    ordered = order(database, site.operator, site.tank, args={"duration_s": 30})
    assert (ordered["status"], ordered["is_dangerous"], ordered["is_approved"]) == ("pending", False, True)
    assert (ordered["created_by"], ordered["tenant_id"]) == (site.operator, site.tenant)
    assert (ordered["expires_at"] - ordered["created_at"]).total_seconds() == 300
    assert statuses(history(database, ordered["id"])) == [(None, "pending")]


@pytest.mark.parametrize("name", ["viewer", "other_operator", "other_admin"])
def test_whoever_lacks_the_role_in_the_tenant_orders_nothing(
    database: Connection, site: Site, name: str
) -> None:
    with pytest.raises(Denied, match="you may not order"):
        order(database, getattr(site, name), site.tank)
    assert count(database, "device_commands") == 0


@pytest.mark.parametrize("change", ["is_active = false", "role = 'viewer'", "tenant_id = null"])
def test_taking_a_right_away_bites_at_the_next_order(database: Connection, site: Site, change: str) -> None:
    order(database, site.operator, site.tank)
    database.execute(f"update public.profiles set {change} where id = %s".encode(), (site.operator,))
    with pytest.raises(Denied):
        order(database, site.operator, site.tank)


@pytest.mark.parametrize("name", ["admin", "superadmin"])
def test_those_above_an_operator_order_too(database: Connection, site: Site, name: str) -> None:
    assert order(database, getattr(site, name), site.tank)["status"] == "pending"


def test_some_orders_take_an_admin(database: Connection, site: Site) -> None:
    settings = {"settings": {"interval_s": 5}}
    with pytest.raises(Denied):
        order(database, site.operator, site.hub, "update_config", args=settings)
    assert order(database, site.admin, site.hub, "update_config", args=settings)["args"] == settings


def test_devices_strangers_and_the_secret_key_order_nothing(database: Connection, site: Site) -> None:
    for role in ("anon", "device", "service_role"):
        with pytest.raises(Denied), acting_as(database, role, site.hub):
            call(database, "create_command", device_id=site.hub, command_type="identify")
    with pytest.raises(Denied), acting_as(database, "authenticated"):
        call(database, "create_command", device_id=site.hub, command_type="identify")


@pytest.mark.parametrize("change", ["revoked_at = now()", "status = 'retired'", "status = 'pending'"])
def test_a_device_out_of_service_takes_no_orders(database: Connection, site: Site, change: str) -> None:
    database.execute(f"update public.devices set {change} where id = %s".encode(), (site.tank,))
    with pytest.raises(Wrong, match="takes no commands"):
        order(database, site.operator, site.tank)


def test_a_device_has_at_most_a_hundred_commands_under_way(database: Connection, site: Site) -> None:
    for _ in range(100):
        last = order(database, site.operator, site.tank)["id"]
    with pytest.raises(Wrong, match="takes no commands"):
        order(database, site.operator, site.tank)
    cancel(database, site.operator, last)
    order(database, site.operator, site.tank)


@pytest.mark.parametrize(
    ("command_type", "args", "problem"),
    [
        ("format_disk", {}, "no command type"),
        ("identify'; drop table public.devices; --", {}, "no command type"),
        ("identify", [], "an object"),
        ("identify", {"duration_s": 0}, "duration_s must be between 1 and 600"),
        ("identify", {"duration_s": 1e300}, "duration_s must be between"),
        ("identify", {"duration_s": 1.5}, "duration_s must be a whole number"),
        ("identify", {"duration_s": "30"}, "duration_s must be of type integer"),
        ("identify", {"duration_s": None}, "duration_s must be of type integer"),
        ("identify", {"duration_s": {"a": 1}}, "duration_s must be of type integer"),
        ("identify", {"x'; drop table public.devices; --": 1}, "is not known"),
        ("identify", {"a": 1, "b": 2}, "a is not known; b is not known"),
        ("identify", {"x" * 20_000: 1}, "too long"),
        ("set_output", {"value": True}, "output is missing"),
        ("set_output", {"output": "$(reboot)", "value": True}, "output must look like"),
        ("set_output", {"output": "pump\nvalve", "value": True}, "output must look like"),
        ("set_output", {"output": "pump", "value": 1}, "value must be of type boolean"),
        ("write_register", {"address": -1, "value": 1}, "address must be between"),
        ("write_register", {"address": 65536, "value": 1}, "address must be between"),
        ("write_register", {"address": 1, "value": 1, "value_type": "u8"}, "value_type must be one of"),
        ("write_register", {"address": 1, "value": 1, "value_type": ["u16"]}, "value_type must be of type"),
        ("write_coil", {"address": 1, "value": "on"}, "value must be of type boolean"),
    ],
)
def test_nonsense_is_refused_by_name(
    database: Connection, site: Site, command_type: str, args: object, problem: str
) -> None:
    with pytest.raises(Wrong, match=problem.replace("(", r"\(")):
        order(database, site.operator, site.tank, command_type, args=args)
    assert count(database, "device_commands") == 0


@pytest.mark.parametrize("args", ["null", "7", '"text"', '{"duration_s": 1e100000}'])
def test_a_body_that_is_no_order_is_refused(database: Connection, site: Site, args: str) -> None:
    with pytest.raises(Wrong, match=r"an object|too long"):
        order(database, site.operator, site.tank, args=args)


@pytest.mark.parametrize(
    "settings", [{"wifi_password": "x"}, {"cloud": [{"Secret": "x"}]}, {"token_file": {}}]
)
def test_no_secret_travels_in_a_command(database: Connection, site: Site, settings: object) -> None:
    with pytest.raises(Wrong, match="no secrets"):
        order(database, site.admin, site.hub, "update_config", args={"settings": settings})


def test_a_value_may_speak_of_secrets(database: Connection, site: Site) -> None:
    settings = {"settings": {"motto": "a secret", "next": 1}}
    assert order(database, site.admin, site.hub, "update_config", args=settings)["args"] == settings


@pytest.mark.parametrize("expires_in_s", [9, 0, -1, 2_592_001])
def test_a_command_lives_neither_too_short_nor_for_ever(
    database: Connection, site: Site, expires_in_s: int
) -> None:
    with pytest.raises(Wrong, match="expires after"):
        order(database, site.operator, site.tank, expires_in_s=expires_in_s)


def test_the_same_order_with_the_same_key_is_made_once(database: Connection, site: Site) -> None:
    first = order(database, site.operator, site.tank, idempotency_key="a", args={"duration_s": 1})
    move(database, first["id"], "sent", "executed")
    again = order(database, site.operator, site.tank, idempotency_key="a", args={"duration_s": 1})
    assert (again["id"], again["status"]) == (first["id"], "executed")
    assert count(database, "device_commands") == 1


def test_a_key_is_of_one_order_and_of_one_person(database: Connection, site: Site) -> None:
    first = order(database, site.operator, site.tank, idempotency_key="a")
    for other in ({"device_id": site.hub}, {"command_type": "sync_now"}, {"args": {"duration_s": 1}}):
        arguments: dict[str, Any] = {"device_id": site.tank, "idempotency_key": "a", **other}
        with pytest.raises(psycopg.errors.UniqueViolation, match=f"used for command {first['id']}"):
            order(database, site.operator, **arguments)
    assert order(database, site.admin, site.tank, idempotency_key="a")["id"] != first["id"]


def test_a_dangerous_order_waits_for_an_admin_who_did_not_make_it(database: Connection, site: Site) -> None:
    ordered = order(database, site.admin, site.tank, "write_register", args=WRITE)
    assert (ordered["status"], ordered["is_approved"]) == ("pending", None)
    assert claim(database, site.hub) == []
    with pytest.raises(Denied, match="second person"):
        approve(database, site.admin, ordered["id"])
    assert approve(database, site.second_admin, ordered["id"])["is_approved"] is True
    assert claim(database, site.hub) == [ordered["id"]]


@pytest.mark.parametrize("name", ["viewer", "operator", "other_operator", "other_admin"])
def test_whoever_is_no_admin_of_the_tenant_approves_nothing(
    database: Connection, site: Site, name: str
) -> None:
    ordered = order(database, site.admin, site.tank, "write_register", args=WRITE)
    with pytest.raises(Denied, match="about which you may decide"):
        approve(database, getattr(site, name), ordered["id"])
    assert command(database, ordered["id"])["is_approved"] is None


def test_a_refused_order_is_cancelled_and_says_who_refused(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank, "reboot")
    with acting_as_person(database, site.admin):
        call(database, "approve_command", command_id=ordered["id"], is_approved=False, reason="not at night")
    assert command(database, ordered["id"])["status"] == "cancelled"
    with acting_as_person(database, site.viewer):
        found = database.execute("select decided_by, is_approved, reason from public.command_approvals")
        assert found.fetchall() == [
            {"decided_by": site.admin, "is_approved": False, "reason": "not at night"}
        ]
    assert claim(database, site.hub) == []


def test_a_decision_is_made_once(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank, "reboot")
    approve(database, site.admin, ordered["id"])
    with pytest.raises(psycopg.errors.UniqueViolation, match="has been decided about"):
        approve(database, site.second_admin, ordered["id"], is_approved=False)
    harmless = order(database, site.operator, site.tank)
    with pytest.raises(psycopg.errors.UniqueViolation, match="has been decided about"):
        approve(database, site.admin, harmless["id"])


def test_what_is_over_is_not_approved(database: Connection, site: Site) -> None:
    cancelled = order(database, site.operator, site.tank, "reboot")
    cancel(database, site.operator, cancelled["id"])
    with pytest.raises(Wrong, match="is over: cancelled"):
        approve(database, site.admin, cancelled["id"])
    database.execute("alter table public.device_commands disable trigger guard_command")
    expired = order(database, site.operator, site.tank, "reboot")
    database.execute(
        "update public.device_commands set created_at = now() - '2 h'::interval, expires_at = now()"
    )
    with pytest.raises(Wrong, match="is over: expired"):
        approve(database, site.admin, expired["id"])


def test_nothing_goes_around_the_second_person(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank, "reboot")
    approval = "insert into public.command_approvals values (%s, %s, %s, %s, true)"
    forged = [
        ("update public.device_commands set is_approved = true where id = %s", (ordered["id"],)),
        ("update public.device_commands set is_dangerous = false where id = %s", (ordered["id"],)),
        ("update public.device_commands set status = 'sent' where id = %s", (ordered["id"],)),
        (approval, (ordered["id"], site.tank, site.operator, site.operator)),
        ("update public.device_commands set args = '{\"a\": 1}' where id = %s", (ordered["id"],)),
    ]
    for statement, values in forged:
        with pytest.raises(Wrong), database.transaction():
            database.execute(statement.encode(), values)
    # Nor by the approval of somebody else's order.
    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.transaction():
        database.execute(approval.encode(), (ordered["id"], site.tank, site.admin, site.operator))


@pytest.mark.parametrize("person", ["viewer", "operator", "admin", "superadmin"])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.device_commands (device_id, command_type) values (1, 'identify')",
        "update public.device_commands set status = 'executed'",
        "delete from public.device_commands",
        "update public.device_command_history set stdout = ''",
        "insert into public.command_approvals (command_id) select id from public.device_commands",
        "update public.command_types set arguments = '{}'",
        "select * from public.claim_commands()",
        "select private.expire_commands()",
        "select private.place_command(1, 'identify', '{}', null, null, null)",
    ],
)
def test_people_write_through_functions_only(
    database: Connection, site: Site, person: str, statement: str
) -> None:
    with pytest.raises(Denied), acting_as_person(database, getattr(site, person)):
        database.execute(statement.encode())


def test_the_secret_key_reads_commands_and_writes_none(database: Connection, site: Site) -> None:
    order(database, site.operator, site.tank)
    with acting_as(database, "service_role"):
        assert len(database.execute("select * from public.device_commands").fetchall()) == 1
    for statement in (
        b"update public.device_commands set status = 'sent'",
        b"delete from public.device_commands",
    ):
        with pytest.raises(Denied), acting_as(database, "service_role"):
            database.execute(statement)


def test_people_see_the_commands_of_their_tenants(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank)
    for name, is_seen in (("viewer", True), ("superadmin", True), ("other_admin", False)):
        with acting_as_person(database, getattr(site, name)):
            for table, column in (("device_commands", "id"), ("device_command_history", "command_id")):
                found = database.execute(f"select {column} as id from public.{table}".encode()).fetchall()
                assert found == [{"id": ordered["id"]}] * is_seen


def test_only_superadmins_decide_what_is_dangerous(database: Connection, site: Site) -> None:
    change = b"update public.command_types set is_dangerous = true where command_type = 'set_output'"
    for name, changed in (("admin", 0), ("superadmin", 1)):
        with acting_as_person(database, getattr(site, name)):
            assert database.execute(change).rowcount == changed
    pump = {"output": "pump", "value": True}
    assert order(database, site.operator, site.tank, "set_output", args=pump)["is_approved"] is None


def test_an_order_is_taken_back_until_the_hub_has_it(database: Connection, site: Site) -> None:
    ordered = order(database, site.operator, site.tank)
    assert cancel(database, site.admin, ordered["id"])["status"] == "cancelled"
    assert cancel(database, site.admin, ordered["id"])["status"] == "cancelled"
    assert statuses(history(database, ordered["id"])) == [(None, "pending"), ("pending", "cancelled")]
    sent = order(database, site.operator, site.tank)
    assert claim(database, site.hub) == [sent["id"]]
    with pytest.raises(Wrong, match="is sent, it cannot be cancelled"):
        cancel(database, site.operator, sent["id"])


@pytest.mark.parametrize("name", ["viewer", "other_operator", "other_admin"])
def test_others_take_nothing_back_and_repeat_nothing(database: Connection, site: Site, name: str) -> None:
    ordered = order(database, site.operator, site.tank)
    with pytest.raises(Denied):
        cancel(database, getattr(site, name), ordered["id"])
    with pytest.raises(Denied):
        resend(database, getattr(site, name), ordered["id"])


def test_what_has_ended_is_ordered_again_and_approved_anew(database: Connection, site: Site) -> None:
    first = order(database, site.operator, site.tank, "write_register", args=WRITE)
    with pytest.raises(Wrong, match="still under way"):
        resend(database, site.operator, first["id"])
    approve(database, site.admin, first["id"])
    move(database, first["id"], "sent", "timeout")
    second = resend(database, site.admin, first["id"], idempotency_key="again")
    assert second["id"] != first["id"]
    assert (second["resend_of"], second["args"]) == (first["id"], WRITE)
    assert (second["created_by"], second["is_approved"]) == (site.admin, None)
    assert resend(database, site.admin, first["id"], idempotency_key="again")["id"] == second["id"]
    with pytest.raises(Denied, match="second person"):
        approve(database, site.admin, second["id"])


def test_ordering_again_takes_the_role_that_ordering_takes(database: Connection, site: Site) -> None:
    first = order(database, site.admin, site.hub, "update_config", args={"settings": {}})
    cancel(database, site.operator, first["id"])
    with pytest.raises(Denied, match="you may not order"):
        resend(database, site.operator, first["id"])


def test_the_hub_is_woken_once_it_may_fetch_and_people_hear_every_step(
    database: Connection, site: Site
) -> None:
    with ear(database) as heard:
        ordered = order(database, site.operator, site.tank, "reboot")
        approve(database, site.admin, ordered["id"])
        claim(database, site.hub)
        refused = order(database, site.operator, site.hub, "reboot")
        approve(database, site.admin, refused["id"], is_approved=False)
        harmless = order(database, site.operator, site.hub)
    assert all(message["is_private"] and message["event"] == "command" for message in heard)
    assert [message["payload"] for message in heard if message["topic"] == f"hub:{site.hub}"] == [
        {"command_id": ordered["id"], "device_id": site.tank},
        {"command_id": harmless["id"], "device_id": site.hub},
    ]
    told = [message["payload"] for message in heard if message["topic"] == f"tenant:{site.tenant}"]
    assert [(step["command_id"], step["status"], step["is_approved"]) for step in told] == [
        (ordered["id"], "pending", None),
        (ordered["id"], "pending", True),
        (ordered["id"], "sent", True),
        (refused["id"], "pending", None),
        (refused["id"], "cancelled", False),
        (harmless["id"], "pending", True),
    ]


def test_a_superadmin_approves_where_there_is_one_admin(database: Connection, site: Site) -> None:
    ordered = order(database, site.admin, site.tank, "reboot")
    assert approve(database, site.superadmin, ordered["id"])["is_approved"] is True
