"""How a command reaches the device that it is for, and what comes back."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.supabase.orders import (
    Site,
    claim,
    command,
    history,
    move,
    new_site,
    order,
    report,
    statuses,
)
from tests.supabase.roles import Connection, acting_as

Denied = psycopg.errors.InsufficientPrivilege
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(database: Connection) -> Site:
    return new_site(database)


def new_command(database: Connection, site: Site, *steps: str, **arguments: Any) -> int:
    command_id = int(order(database, site.operator, site.tank, **arguments)["id"])
    move(database, command_id, *steps)
    return command_id


def seen_by(database: Connection, device_id: int) -> list[int]:
    with acting_as(database, "device", device_id):
        return [row["id"] for row in database.execute("select id from public.device_commands order by id")]


def age(database: Connection, command_id: int, by: timedelta) -> None:
    """Let a command have been there for longer, as only time itself could."""
    database.execute("alter table public.device_commands disable trigger guard_command")
    database.execute(
        """
        update public.device_commands set created_at = created_at - %(by)s, expires_at = expires_at - %(by)s,
          sent_at = sent_at - %(by)s, executing_at = executing_at - %(by)s where id = %(id)s
        """,
        {"by": by, "id": command_id},
    )
    database.execute("alter table public.device_commands enable trigger guard_command")


def expire(database: Connection) -> int:
    found = database.execute("select private.expire_commands() as ended").fetchone()
    assert found is not None
    return int(found["ended"])


def test_a_hub_fetches_for_itself_and_for_those_behind_it_oldest_first(
    database: Connection, site: Site
) -> None:
    ids = [order(database, site.operator, device_id)["id"] for device_id in (site.tank, site.hub, site.tank)]
    assert claim(database, site.hub, batch_size=2) == ids[:2]
    assert claim(database, site.hub) == ids[2:]
    assert claim(database, site.hub) == []
    assert [command(database, id_)["status"] for id_ in ids] == ["sent"] * 3
    assert all(command(database, id_)["sent_at"] for id_ in ids)


@pytest.mark.parametrize("batch_size", [None, 0, -1, 10**9])
def test_a_batch_is_of_a_size_that_makes_sense(
    database: Connection, site: Site, batch_size: int | None
) -> None:
    new_command(database, site)
    with acting_as(database, "device", site.hub):
        found = database.execute("select id from public.claim_commands(%s)", (batch_size,)).fetchall()
    assert len(found) == 1


def test_a_device_fetches_nothing_for_its_hub_or_for_strangers(database: Connection, site: Site) -> None:
    order(database, site.operator, site.hub)
    tank = new_command(database, site)
    assert claim(database, site.other_hub) == []
    assert seen_by(database, site.other_hub) == []
    assert claim(database, site.tank) == [tank]


def test_a_device_sees_what_is_approved_and_no_more(database: Connection, site: Site) -> None:
    harmless = new_command(database, site)
    new_command(database, site, command_type="reboot")
    assert seen_by(database, site.hub) == [harmless]


@pytest.mark.parametrize("status", ["sent", "executing"])
def test_a_revoked_hub_sees_nothing_at_once(database: Connection, site: Site, status: str) -> None:
    command_id = new_command(
        database, site, *(["sent", "executing"][: ["sent", "executing"].index(status) + 1])
    )
    new_command(database, site)
    database.execute("update public.devices set revoked_at = now() where id = %s", (site.hub,))
    assert seen_by(database, site.hub) == []
    assert claim(database, site.hub) == []
    with pytest.raises(Denied, match="has been sent"):
        report(database, site.hub, command_id, "executed")
    with acting_as(database, "device", site.hub):
        assert database.execute("update public.device_commands set status = 'failed'").rowcount == 0


def test_what_has_expired_is_not_handed_out_before_the_job_has_seen_it(
    database: Connection, site: Site
) -> None:
    command_id = new_command(database, site)
    age(database, command_id, timedelta(minutes=5))
    assert claim(database, site.hub) == []
    assert command(database, command_id)["status"] == "pending"


def test_the_order_of_somebody_dismissed_is_not_carried_out(database: Connection, site: Site) -> None:
    new_command(database, site)
    database.execute("update public.profiles set is_active = false where id = %s", (site.operator,))
    assert claim(database, site.hub) == []


def test_the_order_of_a_tenant_that_gave_the_device_away_is_not_carried_out(
    database: Connection, site: Site
) -> None:
    order(database, site.operator, site.hub)
    database.execute("delete from public.devices where id = %s", (site.tank,))
    database.execute(
        """
        update public.devices set tenant_id = other.tenant_id from public.devices as other
        where devices.id = %s and other.id = %s
        """,
        (site.hub, site.other_hub),
    )
    assert claim(database, site.hub) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update public.device_commands set args = '{}'",
        "update public.device_commands set is_approved = true",
        "update public.device_commands set expires_at = now() + '1 day'::interval",
        "insert into public.device_commands (device_id, command_type) values (1, 'identify')",
        "delete from public.device_commands",
        "select * from public.device_command_history",
        "select * from public.command_approvals",
        "select public.create_command(1, 'identify')",
        "select public.approve_command(1, true)",
        "select public.cancel_command(1)",
    ],
)
def test_a_device_does_nothing_else_with_commands(database: Connection, site: Site, statement: str) -> None:
    new_command(database, site, "sent")
    with pytest.raises(Denied), acting_as(database, "device", site.hub):
        database.execute(statement.encode())


def test_a_report_keeps_what_the_device_said(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    assert report(database, site.hub, command_id, "executing") == "executing"
    said = {"result": {"read_back": 7}, "stdout": "ok", "stderr": "", "exit_code": 0, "duration_ms": 120}
    assert report(database, site.hub, command_id, "executed", **said) == "executed"
    *_, began, ended = history(database, command_id)
    assert began["result"] is None
    assert {name: ended[name] for name in said} == said
    assert (ended["actor_type"], ended["actor_id"]) == ("device", str(site.hub))
    found = command(database, command_id)
    assert found["sent_at"] <= found["executing_at"] <= found["finished_at"]


def test_a_report_said_again_changes_nothing(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    for status in ("executing", "executing", "executed", "executed", "executing", "executed"):
        report(database, site.hub, command_id, status, exit_code=0)
    steps = history(database, command_id)
    assert statuses(steps)[-2:] == [("sent", "executing"), ("executing", "executed")]
    assert len(steps) == 4
    report(database, site.hub, command_id, "executed", exit_code=1)
    assert history(database, command_id) == steps


def test_the_output_may_follow_a_status_that_was_set_directly(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    with acting_as(database, "device", site.hub):
        database.execute("update public.device_commands set status = 'failed' where id = %s", (command_id,))
    report(database, site.hub, command_id, "failed", stderr="no such output", exit_code=2)
    assert history(database, command_id)[-1]["stderr"] == "no such output"


def test_a_device_does_not_take_back_how_it_ended(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    report(database, site.hub, command_id, "executed")
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot become failed"):
        report(database, site.hub, command_id, "failed")


def test_what_was_never_sent_is_not_reported(database: Connection, site: Site) -> None:
    for steps in ((), ("expired",), ("cancelled",)):
        command_id = new_command(database, site, *steps)
        for status in ("executing", "executed", "expired"):
            with pytest.raises(Denied, match="has been sent"):
                report(database, site.hub, command_id, status)


def test_a_report_about_the_command_of_another_hub_is_refused(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    for status in ("executing", "executed"):
        with pytest.raises(Denied, match="has been sent"):
            report(database, site.other_hub, command_id, status)
    assert command(database, command_id)["status"] == "sent"


def test_long_output_is_cut_and_never_loses_the_report(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    said = {"result": {"rows": ["x" * 100] * 1000}, "stdout": "a" * 100_000 + "end", "stderr": "ä" * 20_000}
    assert report(database, site.hub, command_id, "executed", **said) == "executed"
    kept = history(database, command_id)[-1]
    assert kept["result"]["is_too_long"] is True
    assert len(kept["stdout"]) == len(kept["stderr"]) == 16_384
    assert kept["stdout"].endswith("end")


def test_text_of_a_device_is_text(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    hostile = "'); drop table public.device_commands; --"
    report(database, site.hub, command_id, "failed", stdout=hostile, result={hostile: hostile})
    kept = history(database, command_id)[-1]
    assert (kept["stdout"], kept["result"]) == (hostile, {hostile: hostile})


def test_what_was_not_begun_in_time_expires(database: Connection, site: Site) -> None:
    waiting, sent, fresh = (new_command(database, site) for _ in range(3))
    move(database, sent, "sent")
    for command_id in (waiting, sent):
        age(database, command_id, timedelta(seconds=330))
    # What the hub said at the last moment may still be on its way.
    assert expire(database) == 1
    age(database, sent, MINUTE)
    assert expire(database) == 1
    assert [command(database, id_)["status"] for id_ in (waiting, sent, fresh)] == [
        "expired",
        "expired",
        "pending",
    ]
    assert history(database, waiting)[-1]["actor_type"] == "service"
    assert expire(database) == 0


def test_what_waits_for_approval_expires_too(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, command_type="reboot")
    age(database, command_id, timedelta(hours=1))
    assert expire(database) == 1
    assert command(database, command_id)["status"] == "expired"


def test_what_takes_longer_than_its_limit_times_out(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent", "executing")
    age(database, command_id, timedelta(seconds=110))
    assert expire(database) == 0
    age(database, command_id, timedelta(seconds=15))
    assert expire(database) == 1
    assert command(database, command_id)["status"] == "timeout"


def test_a_command_under_way_outlives_its_expiry(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent", "executing", expires_in_s=10)
    age(database, command_id, timedelta(seconds=60))
    assert expire(database) == 0
    assert report(database, site.hub, command_id, "executed") == "executed"


def test_what_a_hub_says_after_the_cloud_gave_up_is_kept_beside_it(database: Connection, site: Site) -> None:
    command_id = new_command(database, site, "sent")
    age(database, command_id, timedelta(hours=1))
    expire(database)
    assert report(database, site.hub, command_id, "executing") == "expired"
    for _ in range(2):
        assert report(database, site.hub, command_id, "executed", exit_code=0) == "expired"
    late = [step for step in history(database, command_id) if step["is_late"]]
    assert statuses(late) == [("expired", "executing"), ("expired", "executed")]
    assert late[-1]["exit_code"] == 0
    with pytest.raises(psycopg.errors.CheckViolation):
        report(database, site.hub, command_id, "failed")


@pytest.mark.parametrize("number", ["1e131000", "-1e131000", "0e-16383", "1e-16383"])
def test_numbers_that_are_longer_than_they_look_do_not_fill_the_memory(
    database: Connection, site: Site, number: str
) -> None:
    """Ninety kilobytes, which Postgres would write with up to 1.3 gigabytes."""
    command_id = new_command(database, site, "sent")
    database.execute("set local statement_timeout = '5s'")
    with acting_as(database, "device", site.hub):
        database.execute(
            "select public.report_command(%s, 'executed', %s::jsonb)",
            (command_id, f"[{','.join([number] * 10_000)}]"),
        )
    kept = history(database, command_id)[-1]["result"]
    assert kept["is_too_long"] is True


@pytest.mark.parametrize(
    ("value", "is_within"),
    [
        (f'{{"a": "{"x" * 16_375}"}}', True),
        (f'{{"a": "{"x" * 16_376}"}}', False),
        (f"[{', '.join('1' * 5461)}]", True),
        (f"[{', '.join('1' * 5462)}]", False),
        (f"[{', '.join(['[]'] * 4096)}]", True),
        (f"[{', '.join(['[[]]'] * 3000)}]", False),
        ("1e300", True),
        ("1e301", False),
        ('{"a": [{"b": 1e301}]}', False),
        ("null", True),
    ],
    ids=range(10),
)
def test_how_long_a_value_is_is_told_to_the_byte(database: Connection, value: str, is_within: bool) -> None:
    found = database.execute("select private.is_within(%s::jsonb, 16384) as answer", (value,)).fetchone()
    assert found == {"answer": is_within}


def test_every_text_of_a_device_is_bounded(database: Connection) -> None:
    """Each column that a device may write itself and that can be of any length is held by a constraint."""
    unbounded = database.execute(
        """
        select class.oid::regclass::text as table, attribute.attname as column
        from pg_attribute as attribute
        join pg_class as class on class.oid = attribute.attrelid and class.relkind in ('r', 'p')
        cross join unnest(array['insert', 'update']) as way
        where class.relnamespace = 'public'::regnamespace
          and attribute.attnum > 0 and not attribute.attisdropped and attribute.attlen = -1
          and has_column_privilege('device', class.oid, attribute.attnum, way)
          and not exists (
            select from pg_constraint as held
            where held.conrelid = class.oid and held.contype in ('c', 'f')
              and attribute.attnum = any (held.conkey)
          )
        """
    ).fetchall()
    assert unbounded == []
