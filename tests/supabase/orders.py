"""A site with people, and the ways in which they and its hub deal with commands."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from tests.supabase.roles import (
    Connection,
    Row,
    acting_as,
    acting_as_person,
    new_person,
    new_tenant,
    register,
)

# How to bring a command from pending to each status, step by step.
PATHS = {
    "pending": (),
    "sent": ("sent",),
    "executing": ("sent", "executing"),
    "executed": ("sent", "executing", "executed"),
    "failed": ("sent", "executing", "failed"),
    "timeout": ("sent", "executing", "timeout"),
    "expired": ("sent", "expired"),
    "cancelled": ("cancelled",),
}


@dataclass(frozen=True)
class Site:
    """Numbers of a tenant, its hub and a tank behind it, of another hub, and the people of both tenants."""

    tenant: int
    hub: int
    tank: int
    other_hub: int
    viewer: UUID
    operator: UUID
    admin: UUID
    second_admin: UUID
    superadmin: UUID
    other_operator: UUID
    other_admin: UUID


def new_site(database: Connection) -> Site:
    """Make two tenants below one community, each with a hub and people."""
    community = new_tenant(database, "community", "Community")
    tenant = new_tenant(database, "customer", "Farm", community)
    stranger = new_tenant(database, "customer", "Neighbour", community)
    hub, other_hub = register(database, "hub", kind="hub"), register(database, "other-hub", kind="hub")
    database.execute("update public.devices set tenant_id = %s where id = %s", (tenant, hub))
    database.execute("update public.devices set tenant_id = %s where id = %s", (stranger, other_hub))
    return Site(
        tenant=tenant,
        hub=hub,
        tank=register(database, "tank", hub="hub"),
        other_hub=other_hub,
        viewer=new_person(database, "viewer", tenant),
        operator=new_person(database, "operator", tenant),
        admin=new_person(database, "admin", tenant),
        second_admin=new_person(database, "admin", tenant),
        superadmin=new_person(database, "superadmin", None),
        other_operator=new_person(database, "operator", stranger),
        other_admin=new_person(database, "admin", stranger),
    )


def call(database: Connection, function: str, **arguments: Any) -> Row:
    """Call a function in public by parameter names, as the REST server does; return its one row."""
    (row,) = call_all(database, function, **arguments)
    return row


def call_all(database: Connection, function: str, **arguments: Any) -> list[Row]:
    """Call a function that returns any number of rows."""
    statement = sql.SQL("select * from {}({})").format(
        sql.Identifier("public", function),
        sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments
        ),
    )
    values = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in arguments.items()
    }
    return database.execute(statement, values).fetchall()


def order(
    database: Connection, person: UUID, device_id: int, command_type: str = "identify", **arguments: Any
) -> Row:
    """Order something as this person; return the command."""
    with acting_as_person(database, person):
        return call(database, "create_command", device_id=device_id, command_type=command_type, **arguments)


def approve(database: Connection, person: UUID, command_id: int, *, is_approved: bool = True) -> Row:
    """Decide about a command as this person; return it."""
    with acting_as_person(database, person):
        return call(database, "approve_command", command_id=command_id, is_approved=is_approved)


def claim(database: Connection, device_id: int, batch_size: int = 20) -> list[int]:
    """Fetch as a device what it is to do; return the numbers of the commands."""
    with acting_as(database, "device", device_id):
        return [row["id"] for row in call_all(database, "claim_commands", batch_size=batch_size)]


def report(database: Connection, device_id: int, command_id: int, status: str, **said: Any) -> str:
    """Say as a device how far a command is; return the status that holds."""
    with acting_as(database, "device", device_id):
        return str(
            call(database, "report_command", command_id=command_id, status=status, **said)["report_command"]
        )


def move(database: Connection, command_id: int, *statuses: str) -> None:
    """Move a command as the owner of the database, which is held to the life cycle like everybody."""
    for status in statuses:
        database.execute("update public.device_commands set status = %s where id = %s", (status, command_id))


def command(database: Connection, command_id: int) -> Row:
    found = database.execute("select * from public.device_commands where id = %s", (command_id,)).fetchone()
    assert found is not None
    return found


def history(database: Connection, command_id: int) -> list[Row]:
    return database.execute(
        "select * from public.device_command_history where command_id = %s order by id", (command_id,)
    ).fetchall()


def audited(database: Connection, resource_type: str, resource_id: object) -> list[Row]:
    """Return the entries of the audit log about one row, oldest first."""
    return database.execute(
        "select * from public.audit_logs where resource_type = %s and resource_id = %s order by id",
        (resource_type, str(resource_id)),
    ).fetchall()


@contextmanager
def ear(database: Connection) -> Iterator[list[Row]]:
    """Stand where Realtime stands in a hosted project, and keep what it would have sent on."""
    database.execute("create schema realtime")
    database.execute("create table realtime.sent (topic text, event text, payload jsonb, is_private boolean)")
    database.execute(
        """
        create function realtime.send(payload jsonb, event text, topic text, private boolean) returns void
        language sql security definer as 'insert into realtime.sent values ($3, $2, $1, $4)'
        """
    )
    database.execute("grant usage on schema realtime to public")
    heard: list[Row] = []
    yield heard
    heard += database.execute("select * from realtime.sent").fetchall()


def statuses(steps: Sequence[Row]) -> list[tuple[str | None, str]]:
    return [(step["status_before"], step["status"]) for step in steps]
