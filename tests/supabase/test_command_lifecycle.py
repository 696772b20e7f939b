"""Which status may follow which, whoever asks for it."""

import psycopg
import pytest

from tests.supabase.orders import (
    PATHS,
    Site,
    command,
    history,
    move,
    new_site,
    order,
    report,
    statuses,
)
from tests.supabase.roles import Connection, acting_as

FORWARD = {
    ("pending", "sent"),
    ("pending", "expired"),
    ("pending", "cancelled"),
    ("sent", "executing"),
    ("sent", "executed"),
    ("sent", "failed"),
    ("sent", "timeout"),
    ("sent", "expired"),
    ("executing", "executed"),
    ("executing", "failed"),
    ("executing", "timeout"),
}
PAIRS = [(before, after) for before in PATHS for after in PATHS]
ENDED = {"executed", "failed", "timeout", "expired", "cancelled"}
Refused = (psycopg.errors.CheckViolation, psycopg.errors.InsufficientPrivilege)


@pytest.fixture
def site(database: Connection) -> Site:
    return new_site(database)


def command_in(database: Connection, site: Site, status: str) -> int:
    command_id = int(order(database, site.operator, site.tank)["id"])
    move(database, command_id, *PATHS[status])
    return command_id


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_status_moves_forward_only_even_for_the_owner_of_the_database(
    database: Connection, site: Site, before: str, after: str
) -> None:
    command_id = command_in(database, site, before)
    steps = len(history(database, command_id))
    if (before, after) in FORWARD:
        move(database, command_id, after)
        moved = history(database, command_id)[steps:]
        assert statuses(moved) == [(before, after)]
    elif before == after:
        move(database, command_id, after)
        assert len(history(database, command_id)) == steps
    else:
        with (
            pytest.raises(psycopg.errors.CheckViolation, match=f"cannot become {after}"),
            database.transaction(),
        ):
            move(database, command_id, after)
        assert len(history(database, command_id)) == steps


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_device_moves_what_it_was_sent_and_nothing_else(
    database: Connection, site: Site, before: str, after: str
) -> None:
    command_id = command_in(database, site, before)
    is_allowed = before in {"sent", "executing"} and (before, after) in FORWARD
    try:
        with acting_as(database, "device", site.hub):
            changed = database.execute(
                "update public.device_commands set status = %s where id = %s", (after, command_id)
            ).rowcount
    except Refused:
        changed = 0
    if before != after:
        assert changed == int(is_allowed)
    assert command(database, command_id)["status"] == (after if is_allowed else before)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_report_moves_forward_or_is_kept_beside_what_the_clock_decided(
    database: Connection, site: Site, before: str, after: str
) -> None:
    command_id = command_in(database, site, before)
    steps = len(history(database, command_id))
    is_sayable = after in {"executing", "executed", "failed", "timeout", "expired"}
    was_sent = before not in {"pending", "cancelled"}
    if was_sent and is_sayable and (before, after) in FORWARD:
        assert report(database, site.hub, command_id, after) == after
        assert statuses(history(database, command_id)[steps:]) == [(before, after)]
    elif was_sent and is_sayable and before in ENDED:
        # The owner has moved it here, as the job does: the device has not been heard yet.
        assert report(database, site.hub, command_id, after) == before
        (late,) = history(database, command_id)[steps:]
        assert (late["status"], late["is_late"]) == (after, True)
    elif (before, after) == ("executing", "executing"):
        assert report(database, site.hub, command_id, after) == before
        assert len(history(database, command_id)) == steps
    else:
        with pytest.raises(Refused):
            report(database, site.hub, command_id, after)
        assert command(database, command_id)["status"] == before
