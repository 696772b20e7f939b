"""Where pg_cron is, it does the jobs. On a real one, in Postgres 15."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.roles import Connection, count, register, upload
from tests.supabase.test_jobs import status
from tests.supabase.test_rollups import at

# Its smallest period is a minute, begun at the full minute.
PATIENCE_S = 100


@pytest.fixture
def cron(with_pg_cron: str) -> Any:
    with psycopg.connect(with_pg_cron, row_factory=dict_row, autocommit=True) as connection:
        yield connection


def wait_until(condition: Callable[[], Any], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.2)


def details(cron: Connection, job: str) -> list[dict[str, Any]]:
    return cron.execute(
        "select details.* from cron.job_run_details as details join cron.job using (jobid) where jobname = %s",
        (f"penstock_{job}",),
    ).fetchall()


def plant_failing_job(cron: Connection) -> None:
    cron.execute(
        """
        create function private.break_off() returns void language plpgsql set search_path = '' as $$
        begin raise exception 'broken on purpose'; end $$;
        insert into private.jobs (name, function_name, period_s, schedule, position)
        values ('break_off', 'private.break_off', 60, '* * * * *', 0);
        """
    )


def plant_old_details(cron: Connection) -> None:
    cron.execute(
        """
        insert into cron.job_run_details (jobid, runid, command, status, start_time, end_time)
        select 1, -n, 'old', 'succeeded', now() - n * interval '1 day', now() - n * interval '1 day'
        from unnest(array[6, 8]) as n
        """
    )


def test_pg_cron_does_the_jobs(cron: Connection) -> None:
    assert all(job["is_scheduled"] for job in status(cron).values())
    upload(cron, "telemetry_tank", [at(register(cron, "tank"), 1, 0)])
    plant_failing_job(cron)
    plant_old_details(cron)
    cron.execute("update private.jobs set schedule = '* * * * *' where name in ('prune', 'make_partitions')")
    cron.execute("update private.jobs set is_enabled = false where name = 'find_silent'")
    jobs = cron.execute("select count(*) as jobs from cron.job").fetchone()
    assert cron.execute("select private.schedule_jobs() as jobs").fetchone() == jobs
    assert cron.execute("select private.schedule_jobs() as jobs").fetchone() == jobs
    assert not status(cron)["find_silent"]["is_scheduled"]

    wait_until(lambda: count(cron, "telemetry_tank_daily"), "the roll-up")
    wait_until(lambda: status(cron)["break_off"]["last_error"], "the failing job")
    wait_until(lambda: status(cron)["prune"]["last_finished_at"], "pruning")
    wait_until(lambda: status(cron)["make_partitions"]["last_finished_at"], "partitions")

    found = status(cron)
    assert "broken on purpose" in found["break_off"]["last_error"]
    assert found["roll_up"]["last_error"] is None
    assert found["find_silent"]["last_started_at"] is None
    wait_until(
        lambda: [run for run in details(cron, "roll_up") if run["status"] == "succeeded"], "its detail"
    )
    kept = cron.execute("select runid from cron.job_run_details where command = 'old'").fetchall()
    assert kept == [{"runid": -6}]
