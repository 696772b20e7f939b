"""expire-old-data: the jobs that are due, and a status that a scheduler understands."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.rows import change, insert, remove
from tools.local_cloud.process_io import CloudProcess

JOBS = "jobs_for_tests"


@pytest.fixture
def functions(queues: CloudProcess) -> Iterator[Functions]:
    """The function, and every job due."""
    change(queues, f"{JOBS}?name=neq.x", last_started_at=None)
    with Functions(queues, {}) as running:
        yield running
    remove(queues, f"{JOBS}?name=eq.broken")


def run(functions: Functions) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = functions.post("expire-old-data")
    assert list(answer.body) == ["jobs"]
    assert {tuple(job) for job in answer.body["jobs"]} == {("job", "is_run", "detail", "error")}
    return answer.status, {job["job"]: job for job in answer.body["jobs"]}


def test_every_job_runs_when_it_is_due_and_not_again_at_once(functions: Functions) -> None:
    status, jobs = run(functions)
    assert (status, {job["is_run"] for job in jobs.values()}) == (200, {True})
    assert {job["error"] for job in jobs.values()} == {None}
    assert jobs["make_partitions"]["detail"] is not None
    status, jobs = run(functions)
    assert (status, {job["is_run"] for job in jobs.values()}) == (200, {False})


def test_one_job_that_fails_makes_the_whole_call_a_failed_one(
    functions: Functions, queues: CloudProcess
) -> None:
    # A function that is there and cannot be called as jobs are, first in order.
    broken = {"name": "broken", "function_name": "private.run_job", "period_s": 60, "schedule": "* * * * *"}
    insert(queues, JOBS, [{**broken, "position": 0, "is_enabled": True, "failures_in_a_row": 0}])
    status, jobs = run(functions)
    assert status == 500
    assert "private.run_job() does not exist" in jobs["broken"]["error"]
    assert jobs["roll_up"]["is_run"]
    assert jobs["roll_up"]["error"] is None
