"""The functions and the queues of the project itself: that they fit. Details are tested beside this."""

import gzip
import json

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.sink import Sink
from tests.supabase.functions.storage import Storage
from tools.local_cloud.process_io import CloudProcess


def test_notifications_are_delivered_and_settled(old_cloud: CloudProcess, sink: Sink) -> None:
    secrets = {"PENSTOCK_BOT_URL": sink.url, "PENSTOCK_BOT_TOKEN": "12:token"}
    with Functions(old_cloud, secrets) as functions:
        assert functions.post("notify").body == {"sent": 1, "failed": 1, "is_empty": True}
        assert functions.post("notify").body == {"sent": 0, "failed": 0, "is_empty": True}  # resting
    (received,) = sink.received
    assert received.json()["chat_id"] == "-100123"
    assert received.json()["text"].startswith("[critical] tank: low")
    rows = old_cloud.admin.select(
        "alert_notifications?select=channel_type,status,last_error&order=channel_type"
    )
    assert [(row["channel_type"], row["status"]) for row in rows] == [("bot", "sent"), ("sms", "pending")]
    assert rows[1]["last_error"].startswith("this channel is not set up")


def test_the_audit_log_is_forwarded_once(old_cloud: CloudProcess, sink: Sink) -> None:
    secrets = {
        "PENSTOCK_AUDIT_WEBHOOK_URL": sink.url,
        "PENSTOCK_AUDIT_WEBHOOK_SECRET": "secret",
        "PENSTOCK_ALLOW_LOOPBACK": "1",
    }
    with Functions(old_cloud, secrets) as functions:
        forwarded = functions.post("audit-log").body["forwarded"]
        assert functions.post("audit-log").body == {"forwarded": 0, "is_empty": True}
    entries = [json.loads(line) for received in sink.received for line in received.body.splitlines()]
    assert len(entries) == forwarded > 0
    assert ("create", "ingest_keys") in {(entry["action_type"], entry["resource_type"]) for entry in entries}


def test_rows_are_archived_before_they_are_dropped(old_cloud: CloudProcess) -> None:
    with (
        Storage(old_cloud) as storage,
        Functions(old_cloud, {"PENSTOCK_ARCHIVE_SLICE_ROWS": "1000"}, storage.url) as functions,
    ):
        answers = [functions.post("archive")]
        while "is_empty" not in answers[-1].body:
            assert answers[-1].status == 200
            answers.append(functions.post("archive"))
    assert sum(answer.body.get("is_finished", False) for answer in answers) > 1  # empty weeks as well
    lines = [
        json.loads(line)
        for name, content in storage.objects.items()
        if name.endswith(".gz") and "telemetry_tank" in name
        for line in gzip.decompress(content).splitlines()
    ]
    assert sorted(line["seq"] for line in lines) == list(range(1, 2501))
    assert {line["epoch"] for line in lines} == {7}


def test_every_job_runs_without_pg_cron(old_cloud: CloudProcess) -> None:
    with Functions(old_cloud, {}) as functions:
        answer = functions.post("expire-old-data")
    assert answer.status == 200
    assert all(job["error"] is None for job in answer.body["jobs"])
    assert any(job["is_run"] for job in answer.body["jobs"])
