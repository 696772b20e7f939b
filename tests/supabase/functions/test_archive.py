"""archive: what is about to be dropped is stored, whole, before it counts as archived."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.supabase.functions.deno import Functions
from tests.supabase.functions.storage import Storage
from tools.local_cloud.process_io import CloudProcess

TABLE = "stand_in_archives"
BASE = "telemetry-archive/telemetry_tank/20260105T000000Z"


@pytest.fixture
def storage(queues: CloudProcess) -> Iterator[Storage]:
    queues.admin._request("DELETE", f"/rest/v1/{TABLE}?archive_id=gt.0")
    with Storage(queues) as server:
        yield server


def functions(storage: Storage, cloud: CloudProcess, **secrets: str) -> Functions:
    return Functions(cloud, secrets, storage.url)


def demand(cloud: CloudProcess, rows: int) -> None:
    cloud.admin._request("POST", f"/rest/v1/{TABLE}", {"rows_to_read": rows})


def finished(cloud: CloudProcess) -> dict[str, Any]:
    (row,) = cloud.admin.select(f"{TABLE}?select=object_path,rows,bytes,sha256")
    return row


def seqs(content: bytes) -> list[int]:
    return [json.loads(line)["seq"] for line in gzip.decompress(content).decode().splitlines()]


def test_a_small_archive_is_one_object_whose_hash_is_known(storage: Storage, queues: CloudProcess) -> None:
    demand(queues, 2500)
    with functions(storage, queues) as running:
        answer = running.post("archive")
        assert answer.body == {
            "table_name": "telemetry_tank",
            "rows": 2500,
            "is_finished": True,
            "object_path": "telemetry_tank/20260105T000000Z.ndjson.gz",
        }
        assert running.post("archive").body == {"is_empty": True}
    assert storage.buckets == {"telemetry-archive": False}  # made when it was missed, and not public
    content = storage.objects[f"{BASE}.ndjson.gz"]
    assert seqs(content) == list(range(1, 2501))
    assert finished(queues) == {
        "object_path": "telemetry_tank/20260105T000000Z.ndjson.gz",
        "rows": 2500,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_long_one_is_done_in_slices_that_go_on_where_the_last_ended(
    storage: Storage, queues: CloudProcess
) -> None:
    demand(queues, 2500)
    with functions(storage, queues, PENSTOCK_ARCHIVE_SLICE_ROWS="1200") as running:
        answers = [running.post("archive").body for _ in range(3)]
    assert [(answer["rows"], answer["is_finished"]) for answer in answers] == [
        (1200, False),
        (2400, False),
        (2500, True),
    ]
    manifest = json.loads(storage.objects[f"{BASE}.json"])
    parts = manifest["parts"]
    assert [part["rows"] for part in parts] == [1200, 1200, 100]
    contents = [storage.objects[f"telemetry-archive/{part['path']}"] for part in parts]
    assert [part["sha256"] for part in parts] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [part["bytes"] for part in parts] == [len(content) for content in contents]
    assert seqs(b"".join(contents)) == list(range(1, 2501))
    row = finished(queues)
    assert (row["object_path"], row["rows"]) == ("telemetry_tank/20260105T000000Z.json", 2500)
    assert row["bytes"] == sum(map(len, contents))
    assert row["sha256"] == hashlib.sha256(storage.objects[f"{BASE}.json"]).hexdigest()


def test_an_archive_that_ends_with_a_slice_has_no_empty_part(storage: Storage, queues: CloudProcess) -> None:
    demand(queues, 2000)
    with functions(storage, queues, PENSTOCK_ARCHIVE_SLICE_ROWS="1000") as running:
        answers = [running.post("archive").body for _ in range(3)]
    assert [answer["is_finished"] for answer in answers] == [False, False, True]
    assert [part["rows"] for part in json.loads(storage.objects[f"{BASE}.json"])["parts"]] == [1000, 1000]


def test_nothing_to_archive_is_an_empty_object(storage: Storage, queues: CloudProcess) -> None:
    demand(queues, 0)
    with functions(storage, queues) as running:
        assert running.post("archive").body["is_finished"] is True
    assert (seqs(storage.objects[f"{BASE}.ndjson.gz"]), finished(queues)["rows"]) == ([], 0)


def test_what_comes_back_different_is_not_finished_and_is_tried_again(
    storage: Storage, queues: CloudProcess
) -> None:
    demand(queues, 10)
    with functions(storage, queues, PENSTOCK_ARCHIVE_BUCKET="cold") as running:
        storage.spoil = True
        answer = running.post("archive")
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert finished(queues)["object_path"] is None
        storage.spoil = False
        assert running.post("archive").body["is_finished"] is True
        log = running.stop()
    assert "came back different" in log
    assert seqs(storage.objects["cold/telemetry_tank/20260105T000000Z.ndjson.gz"]) == list(range(1, 11))


def test_a_database_that_fails_in_between_leaves_nothing_half_done(
    storage: Storage, queues: CloudProcess
) -> None:
    demand(queues, 1313)
    with functions(storage, queues) as running:
        assert running.post("archive").status == 503
        assert "division by zero" in running.stop()
    assert storage.objects == {}
    assert finished(queues)["object_path"] is None
