"""Jobs run when they are due, one at a time, and a job that does not do its work is seen."""

from typing import Any

import psycopg
import pytest

from tests.supabase.roles import Connection, acting_as, acting_as_person, count, new_person, register, upload
from tests.supabase.test_rollups import at


def run_jobs(database: Connection) -> dict[str, dict[str, Any]]:
    return {row["job"]: row for row in database.execute("select * from public.run_jobs()")}


def status(database: Connection) -> dict[str, dict[str, Any]]:
    return {row["job"]: row for row in database.execute("select * from public.job_status()")}


@pytest.fixture
def broken(database: Connection) -> str:
    """A job whose function always fails, after it has done something."""
    database.execute(
        """
        create function private.break_off() returns void language plpgsql set search_path = '' as $$
        begin
          insert into public.tenants (tenant_type, name) values ('customer', 'left behind');
          raise exception 'broken on purpose';
        end $$;
        insert into private.jobs (name, function_name, period_s, schedule, position)
        values ('break_off', 'private.break_off', 60, '* * * * *', 0)
        """
    )
    return "break_off"


def test_everything_is_due_at_first_and_nothing_at_once_again(database: Connection) -> None:
    first = run_jobs(database)
    assert all(job["is_run"] for job in first.values())
    assert [job["error"] for job in first.values() if job["error"]] == []
    assert not any(job["is_run"] for job in run_jobs(database).values())


def test_a_job_is_due_again_after_its_period(database: Connection) -> None:
    run_jobs(database)
    database.execute("update private.jobs set last_started_at = last_started_at - interval '1 minute'")
    again = run_jobs(database)
    assert {name for name, job in again.items() if job["is_run"]} == {
        "find_silent",
        "expire_commands",
        "roll_up",
    }


def test_the_jobs_do_the_work(database: Connection) -> None:
    tank = register(database, "tank")
    upload(database, "telemetry_tank", [at(tank, 1, 0)])
    done = run_jobs(database)
    assert done["roll_up"]["detail"] == "1"
    assert count(database, "telemetry_tank_daily") == 1


def test_what_is_switched_off_does_not_run(database: Connection) -> None:
    database.execute("update private.jobs set is_enabled = false where name = 'roll_up'")
    assert "roll_up" not in run_jobs(database)
    assert database.execute("select private.run_job('roll_up') as result").fetchone() == {"result": None}


def test_a_failing_job_is_undone_noted_and_in_nobodys_way(database: Connection, broken: str) -> None:
    before = count(database, "tenants")
    done = run_jobs(database)
    assert "broken on purpose" in done[broken]["error"]
    assert done["roll_up"]["is_run"]
    assert count(database, "tenants") == before
    for _ in range(2):
        assert not status(database)[broken]["is_stale"]
        database.execute("select private.run_job(%s)", (broken,))
    found = status(database)[broken]
    assert found["is_stale"]
    assert found["failures_in_a_row"] == 3
    assert found["last_finished_at"] is None


def test_staleness_is_noted_once_and_taken_back(database: Connection, broken: str) -> None:
    run_jobs(database)
    database.execute(
        "update private.jobs set last_finished_at = now() - interval '5 minutes' where name = 'roll_up'"
    )
    assert database.execute("select private.note_stale_jobs() as noted").fetchone() == {"noted": 1}
    assert database.execute("select private.note_stale_jobs() as noted").fetchone() == {"noted": 0}
    assert status(database)["roll_up"]["stale_since"] is not None
    database.execute("select private.run_job('roll_up')")
    assert database.execute("select private.note_stale_jobs() as noted").fetchone() == {"noted": 1}
    assert status(database)["roll_up"]["stale_since"] is None


def test_two_never_run_the_same_job(migrated: str, database: Connection) -> None:
    database.execute("select private.run_job('make_partitions')")
    with psycopg.connect(migrated) as other:
        found = other.execute("select private.run_job('make_partitions')").fetchone()
        assert found == (None,)
        other.rollback()


def test_superadmins_see_the_jobs_and_others_do_not(database: Connection) -> None:
    superadmin, admin = new_person(database, "superadmin", None), new_person(database, "admin", None)
    with acting_as_person(database, superadmin):
        assert "roll_up" in status(database)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as_person(database, admin):
        status(database)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as_person(database, superadmin):
        run_jobs(database)
    with acting_as(database, "service_role"):
        assert "roll_up" in run_jobs(database)


def test_without_pg_cron_nothing_is_scheduled(database: Connection) -> None:
    assert database.execute("select private.schedule_jobs() as jobs").fetchone() == {"jobs": 0}
    assert not any(job["is_scheduled"] for job in status(database).values())


def test_a_job_that_takes_too_long_undoes_no_other(database: Connection) -> None:
    database.execute(
        """
        create function private.dawdle() returns void language plpgsql set search_path = '' as $$
        begin
          perform pg_sleep(60);
        end $$;
        insert into private.jobs (name, function_name, period_s, schedule, position)
        values ('dawdle', 'private.dawdle', 60, '* * * * *', 4)
        """
    )
    database.execute("set local statement_timeout = '3s'")
    jobs = run_jobs(database)
    database.execute("set local statement_timeout = 0")
    assert jobs["find_silent"]["is_run"]
    assert "57014" in jobs["dawdle"]["error"]
    # Nothing would end these a second time, so they wait for the next call.
    assert "prune" not in jobs
    assert status(database)["dawdle"]["failures_in_a_row"] == 1
    assert run_jobs(database)["prune"]["is_run"]
