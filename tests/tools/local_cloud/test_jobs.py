"""Where there is no pg_cron, the local cloud itself runs what is due."""

import time

from tools.local_cloud.process_io import CloudProcess

PATIENCE_S = 60


def test_jobs_run_by_themselves(local_cloud: CloudProcess) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    jobs = local_cloud.admin.call("job_status", {})
    while not all(job["last_started_at"] for job in jobs):
        assert time.monotonic() < deadline_s, jobs
        time.sleep(0.5)
        jobs = local_cloud.admin.call("job_status", {})
    assert [job for job in jobs if job["last_error"] or job["is_scheduled"]] == []
    assert "roll_up" in {job["job"] for job in jobs}
