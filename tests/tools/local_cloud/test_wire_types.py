"""Values in JSON are read and written as PostgREST would."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.local_cloud.hub import Hub
from tests.tools.local_cloud.rest import ask


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00+00:00"),
        ("2026-11-21 10:30:00.25+02", "2026-11-21T08:30:00.25+00:00"),
        ("2026-11-21T08:30:00.123456Z", "2026-11-21T08:30:00.123456+00:00"),
    ],
)
def test_times_are_written_as_in_json(hub: Hub, given: str, read: str) -> None:
    row = {"device_id": hub.tank_id, "metric": "ph", "calibration_type": "linear", "parameters": {}}
    for answer in (
        with_secret_key(hub, "POST", "device_calibrations", {**row, "valid_from": given}),
        with_secret_key(hub, "GET", f"device_calibrations?device_id=eq.{hub.tank_id}"),
    ):
        assert answer[0]["valid_from"] == read


def test_times_in_views_and_of_functions_too(hub: Hub) -> None:
    sent = hub.row(1, ph=7.0)
    assert hub.send([sent]).status == 201
    (summary,) = with_secret_key(hub, "GET", "dashboard_summary")
    found = with_secret_key(hub, "POST", "rpc/discover_devices", {})
    (tank,) = [device for device in found if device["device_id"] == hub.tank_id]
    assert datetime.fromisoformat(tank["last_seen_at"]) == datetime.fromisoformat(sent["recorded_at"])
    for text in (summary["last_received_at"], tank["last_seen_at"]):
        assert "T" in text
        assert datetime.fromisoformat(text).tzinfo == UTC


def test_a_text_in_json_stays_one_and_what_is_no_text_becomes_one(hub: Hub) -> None:
    row = {"device_id": hub.tank_id, "tag_name": "zone"}
    for value, text in ((5, "5"), (True, "true"), ("2026-11-21 08:30:00+00", "2026-11-21 08:30:00+00")):
        (made,) = with_secret_key(hub, "POST", "device_tags", {**row, "tag_value": value})
        assert made["tag_value"] == text
        with_secret_key(hub, "DELETE", f"device_tags?id=eq.{made['id']}")


def with_secret_key(hub: Hub, method: str, path: str, body: Any = None) -> Any:
    headers = {"apikey": hub.cloud.secret_key, "prefer": "return=representation"}
    answer = ask(f"{hub.cloud.url}/rest/v1/{path}", method, body, headers)
    assert answer.status in {200, 201}, answer.body
    return answer.body
