"""archive: what is about to be dropped is stored, whole, before it counts as archived."""

import gzip
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.rows import change, insert, remove
from tests.supabase.functions.storage import Storage
from tools.local_cloud.process_io import CloudProcess

ARCHIVES = "archives_for_tests"
BUCKET = "telemetry-archive"


@pytest.fixture
def storage(queues: CloudProcess) -> Iterator[Storage]:
    with Storage(queues) as server:
        yield server


def functions(storage: Storage, cloud: CloudProcess, **secrets: str) -> Functions:
    return Functions(cloud, secrets, storage.url)


def demand(cloud: CloudProcess, rows: int) -> datetime:
    """Have a week with so many rows wait for the archive; return when it begins."""
    week = datetime.fromisoformat(cloud.admin.call("let_one_week_be_old", {}))
    add_rows(cloud, week, range(1, rows + 1))
    return week


def add_rows(cloud: CloudProcess, week: datetime, seqs: Sequence[int]) -> None:
    (tank,) = cloud.admin.select("devices?device_key=eq.tank&select=id")
    known = {"device_id": tank["id"], "epoch": 7, "quality": 0, "time_quality": 0}
    rows = [
        {**known, "seq": seq, "recorded_at": (week + timedelta(minutes=seq)).isoformat(), "ph": 7}
        for seq in seqs
    ]
    if rows:
        insert(cloud, "telemetry_tank", rows)


def name_of(cloud: CloudProcess, week: datetime) -> str:
    """Return the name in Storage of the only archive there is."""
    (row,) = cloud.admin.select(f"{ARCHIVES}?select=id")
    return f"telemetry_tank/{week.astimezone(UTC):%Y%m%dT%H%M%SZ}-{row['id']}"


def finished(cloud: CloudProcess) -> dict[str, Any]:
    (row,) = cloud.admin.select(f"{ARCHIVES}?select=object_path,rows,bytes,sha256")
    return row


def seqs(content: bytes) -> list[int]:
    return [json.loads(line)["seq"] for line in gzip.decompress(content).decode().splitlines()]


def test_a_small_archive_is_one_object_whose_hash_is_known(storage: Storage, queues: CloudProcess) -> None:
    week = demand(queues, 2500)
    with functions(storage, queues) as running:
        answer = running.post("archive")
        name = name_of(queues, week)
        assert answer.body == {
            "table_name": "telemetry_tank",
            "rows": 2500,
            "is_finished": True,
            "object_path": f"{name}.ndjson.gz",
        }
        assert running.post("archive").body == {"is_empty": True}
    assert storage.buckets == {"telemetry-archive": False}  # made when it was missed, and not public
    content = storage.objects[f"{BUCKET}/{name}.ndjson.gz"]
    assert seqs(content) == list(range(1, 2501))
    assert finished(queues) == {
        "object_path": f"{name}.ndjson.gz",
        "rows": 2500,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_long_one_is_done_in_slices_that_go_on_where_the_last_ended(
    storage: Storage, queues: CloudProcess
) -> None:
    week = demand(queues, 2500)
    with functions(storage, queues, PENSTOCK_ARCHIVE_SLICE_ROWS="1200") as running:
        answers = [running.post("archive").body for _ in range(3)]
    name = name_of(queues, week)
    assert [(answer["rows"], answer["is_finished"]) for answer in answers] == [
        (1200, False),
        (2400, False),
        (2500, True),
    ]
    manifest = json.loads(storage.objects[f"{BUCKET}/{name}.json"])
    parts = manifest["parts"]
    assert [part["rows"] for part in parts] == [1200, 1200, 100]
    contents = [storage.objects[f"telemetry-archive/{part['path']}"] for part in parts]
    assert [part["sha256"] for part in parts] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [part["bytes"] for part in parts] == [len(content) for content in contents]
    assert seqs(b"".join(contents)) == list(range(1, 2501))
    row = finished(queues)
    assert (row["object_path"], row["rows"]) == (f"{name}.json", 2500)
    assert row["bytes"] == sum(map(len, contents))
    assert row["sha256"] == hashlib.sha256(storage.objects[f"{BUCKET}/{name}.json"]).hexdigest()


def test_an_archive_that_ends_with_a_slice_has_no_empty_part(storage: Storage, queues: CloudProcess) -> None:
    week = demand(queues, 2000)
    with functions(storage, queues, PENSTOCK_ARCHIVE_SLICE_ROWS="1000") as running:
        answers = [running.post("archive").body for _ in range(3)]
    name = name_of(queues, week)
    assert [answer["is_finished"] for answer in answers] == [False, False, True]
    assert [part["rows"] for part in json.loads(storage.objects[f"{BUCKET}/{name}.json"])["parts"]] == [
        1000,
        1000,
    ]


def test_nothing_to_archive_is_an_empty_object(storage: Storage, queues: CloudProcess) -> None:
    week = demand(queues, 0)
    with functions(storage, queues) as running:
        assert running.post("archive").body["is_finished"] is True
    name = name_of(queues, week)
    assert (seqs(storage.objects[f"{BUCKET}/{name}.ndjson.gz"]), finished(queues)["rows"]) == ([], 0)


def test_what_comes_back_different_is_not_finished_and_is_tried_again(
    storage: Storage, queues: CloudProcess
) -> None:
    week = demand(queues, 10)
    with functions(storage, queues, PENSTOCK_ARCHIVE_BUCKET="cold") as running:
        storage.spoil = True
        answer = running.post("archive")
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert finished(queues)["object_path"] is None
        storage.spoil = False
        change(queues, f"{ARCHIVES}?id=gt.0", claimed_until="-infinity")
        assert running.post("archive").body["is_finished"] is True
        log = running.stop()
    name = name_of(queues, week)
    assert "came back different" in log
    assert seqs(storage.objects[f"cold/{name}.ndjson.gz"]) == list(range(1, 11))


def test_a_database_that_fails_in_between_leaves_nothing_half_done(
    storage: Storage, queues: CloudProcess
) -> None:
    demand(queues, 1300)
    reads = itertools.count(1)

    def withdraw_before_the_second_page(function: str) -> None:
        if function == "read_archive" and next(reads) == 2:
            remove(queues, f"{ARCHIVES}?id=gt.0")

    storage.meanwhile = withdraw_before_the_second_page
    with functions(storage, queues) as running:
        assert running.post("archive").status == 503
        # 409, so that whoever reads an archive that is not there any more does not try again for ever.
        assert "read_archive: HTTP 409 23503" in running.stop()
    assert storage.objects == {}
    assert queues.admin.select(ARCHIVES) == []


@pytest.mark.parametrize("slice_rows", ["1000", "50000"])
def test_rows_that_came_while_it_was_read_are_read_too(
    storage: Storage, queues: CloudProcess, slice_rows: str
) -> None:
    week = demand(queues, 1500)

    def be_late(function: str) -> None:
        if function == "finish_archive":
            storage.meanwhile = lambda function: None
            add_rows(queues, week, range(1501, 1506))

    storage.meanwhile = be_late
    with functions(storage, queues, PENSTOCK_ARCHIVE_SLICE_ROWS=slice_rows) as running:
        while (answer := running.post("archive")).status == 200:
            assert answer.body["is_finished"] is False
        assert (answer.status, answer.body["code"]) == (409, "rows_changed")
        assert [name for name in storage.objects if name.endswith(".gz")] == []
        while not (answer := running.post("archive")).body["is_finished"]:
            assert answer.status == 200
    contents = [content for name, content in sorted(storage.objects.items()) if name.endswith(".gz")]
    assert seqs(b"".join(contents)) == list(range(1, 1506))
    assert finished(queues)["rows"] == 1505
