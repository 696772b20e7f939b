"""audit-log: entries leave signed, in full, and count as forwarded only after a 2xx."""

import json

import pytest

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.rows import change, insert
from tests.supabase.functions.sink import Sink
from tests.supabase.functions.test_notify import verify
from tools.local_cloud.process_io import CloudProcess

SECRET = "the audit secret"
FORWARDS = "audit_forwards_for_tests"
ENTRIES = 1200


@pytest.fixture(scope="module")
def first_entry(queues: CloudProcess) -> int:
    """The id of the first of twelve hundred entries: that somebody made tenants."""
    tenants = [{"tenant_type": "customer", "name": f"customer-{n}"} for n in range(ENTRIES)]
    insert(queues, "tenants", tenants)
    (entry,) = queues.admin.select(
        "audit_logs?resource_type=eq.tenants&details->after->>name=eq.customer-0&select=id"
    )
    return int(entry["id"])


@pytest.fixture(autouse=True)
def _twelve_hundred_entries_wait(queues: CloudProcess, first_entry: int) -> None:
    change(queues, f"{FORWARDS}?audit_id=lt.{first_entry}", forwarded_at="2026-01-01T00:00:00Z")
    waiting = {"forwarded_at": None, "leased_until": "-infinity", "attempts": 0}
    change(queues, f"{FORWARDS}?audit_id=gte.{first_entry}", **waiting)


def secrets(sink: Sink, path: str = "/audit", **others: str) -> dict[str, str]:
    return {
        "PENSTOCK_AUDIT_WEBHOOK_URL": sink.url + path,
        "PENSTOCK_AUDIT_WEBHOOK_SECRET": SECRET,
        "PENSTOCK_ALLOW_LOOPBACK": "1",
        **others,
    }


def waiting(cloud: CloudProcess) -> int:
    pages = (f"{FORWARDS}?forwarded_at=is.null&select=audit_id&offset={offset}" for offset in (0, 1000))
    return sum(len(cloud.admin.select(page)) for page in pages)


def test_entries_leave_as_signed_lines_of_json(queues: CloudProcess, sink: Sink) -> None:
    with Functions(queues, secrets(sink)) as functions:
        answer = functions.post("audit-log")
    assert (answer.status, answer.body) == (200, {"forwarded": ENTRIES, "is_empty": True})
    names = []
    for received in sink.received:
        verify(received, SECRET)
        assert received.headers["content-type"] == "application/x-ndjson"
        entries = [json.loads(line) for line in received.body.decode().splitlines()]
        assert {(entry["action_type"], entry["resource_type"]) for entry in entries} == {
            ("create", "tenants")
        }
        names += [entry["details"]["after"]["name"] for entry in entries]
    assert sorted(names) == sorted(f"customer-{n}" for n in range(ENTRIES))
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
    assert waiting(queues) == ENTRIES
    with Functions(queues, secrets(sink)) as functions:
        assert functions.post("audit-log").body["forwarded"] == ENTRIES - 500  # the others rest
        change(queues, f"{FORWARDS}?forwarded_at=is.null", leased_until="-infinity")
        assert functions.post("audit-log").body["forwarded"] == 500


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
    assert queues.admin.select(f"{FORWARDS}?attempts=gt.0&forwarded_at=is.null&select=audit_id") == []
