"""audit-log: entries leave signed, in full, and count as forwarded only after a 2xx."""

import json

import pytest

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.sink import Sink
from tests.supabase.functions.test_notify import verify
from tools.local_cloud.process_io import CloudProcess

SECRET = "the audit secret"
TABLE = "stand_in_audit"


@pytest.fixture(autouse=True)
def _twelve_hundred_entries(queues: CloudProcess) -> None:
    queues.admin._request("DELETE", f"/rest/v1/{TABLE}?id=gt.0")
    entries = [{"actor": f"person-{n}"} for n in range(1200)]
    queues.admin._request("POST", f"/rest/v1/{TABLE}", entries)  # type: ignore[arg-type]


def secrets(sink: Sink, path: str = "/audit", **others: str) -> dict[str, str]:
    return {
        "PENSTOCK_AUDIT_WEBHOOK_URL": sink.url + path,
        "PENSTOCK_AUDIT_WEBHOOK_SECRET": SECRET,
        "PENSTOCK_ALLOW_LOOPBACK": "1",
        **others,
    }


def waiting(cloud: CloudProcess) -> int:
    return len(cloud.admin.select(f"{TABLE}?is_sent=not.is.true&select=id"))


def test_entries_leave_as_signed_lines_of_json(queues: CloudProcess, sink: Sink) -> None:
    with Functions(queues, secrets(sink)) as functions:
        answer = functions.post("audit-log")
    assert (answer.status, answer.body) == (200, {"forwarded": 1200, "is_empty": True})
    actors = []
    for received in sink.received:
        verify(received, SECRET)
        assert received.headers["content-type"] == "application/x-ndjson"
        actors += [json.loads(line)["actor"] for line in received.body.decode().splitlines()]
    assert sorted(actors) == sorted(f"person-{n}" for n in range(1200))
    assert len(sink.received) == 3
    assert waiting(queues) == 0


def test_or_as_one_array(queues: CloudProcess, sink: Sink) -> None:
    with Functions(queues, secrets(sink, PENSTOCK_AUDIT_WEBHOOK_FORMAT="json")) as functions:
        functions.post("audit-log")
    assert [len(received.json()) for received in sink.received] == [500, 500, 200]


def test_what_was_not_taken_waits_for_the_next_call(queues: CloudProcess, sink: Sink) -> None:
    with Functions(queues, secrets(sink, "/status/503")) as functions:
        answer = functions.post("audit-log")
    assert (answer.status, answer.body["message"]) == (502, "answered 503")
    assert len(sink.received) == 1
    assert waiting(queues) >= 1000  # the REST server answers with no more than a thousand
    with Functions(queues, secrets(sink)) as functions:
        assert functions.post("audit-log").body["forwarded"] == 1200


@pytest.mark.parametrize(
    "change",
    [
        {"PENSTOCK_AUDIT_WEBHOOK_URL": ""},
        {"PENSTOCK_AUDIT_WEBHOOK_SECRET": ""},
        {"PENSTOCK_ALLOW_LOOPBACK": ""},
    ],
)
def test_without_a_place_to_go_nothing_is_claimed(
    queues: CloudProcess, sink: Sink, change: dict[str, str]
) -> None:
    with Functions(queues, {**secrets(sink), **change}) as functions:
        answer = functions.post("audit-log")
    assert (answer.status, answer.body["code"]) == (501, "not_set_up")
    assert sink.received == []
    assert queues.admin.select(f"{TABLE}?is_leased=is.true&select=id") == []
