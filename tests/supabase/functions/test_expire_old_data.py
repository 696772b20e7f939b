"""expire-old-data: the jobs that are due, and a status that a scheduler understands."""

from collections.abc import Iterator

import pytest

from tests.supabase.functions.deno import Functions
from tools.local_cloud.process_io import CloudProcess

DONE = {"job": "make_partitions", "is_run": True, "detail": "12 made", "error": None}
SKIPPED = {"job": "drop_partitions", "is_run": False, "detail": "not due", "error": None}
FAILED = {"job": "roll_up", "is_run": True, "detail": None, "error": "division by zero"}


@pytest.fixture
def functions(queues: CloudProcess) -> Iterator[Functions]:
    queues.admin._request("DELETE", "/rest/v1/stand_in_jobs?job=neq.x")
    with Functions(queues, {}) as running:
        yield running


@pytest.mark.parametrize(
    ("jobs", "status"), [([], 200), ([DONE, SKIPPED], 200), ([DONE, FAILED, SKIPPED], 500)]
)
def test_answers_what_each_job_did(
    functions: Functions, queues: CloudProcess, jobs: list[dict[str, object]], status: int
) -> None:
    if jobs:
        queues.admin._request("POST", "/rest/v1/stand_in_jobs", jobs)  # type: ignore[arg-type]
    answer = functions.post("expire-old-data")
    assert (answer.status, answer.body) == (status, {"jobs": jobs})
