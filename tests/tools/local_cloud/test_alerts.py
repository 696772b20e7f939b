"""Alerts over HTTP: raised by rows that a hub sends, handled by people with their tokens."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.local_cloud.site import Site, refused
from tools.local_cloud.process_io import CloudProcess

RULE = {
    "name": "too sour",
    "rule_type": "threshold",
    "table_name": "telemetry_tank",
    "metric": "ph",
    "is_above": False,
    "threshold": 6.5,
    "clear_threshold": 6.8,
    "cooldown_s": 0,
}


@pytest.fixture(scope="module")
def site(local_cloud: CloudProcess) -> Site:
    return Site(local_cloud)


@pytest.fixture(scope="module")
def rule_id(site: Site) -> int:
    made = site.ask("admin", "POST", "/rest/v1/alert_rules", {"tenant_id": site.tenant_id, **RULE})
    assert made.status == 201, made.body
    (found,) = site.rows("viewer", "alert_rules?select=id")
    return int(found["id"])


@pytest.fixture(scope="module")
def send(site: Site) -> Callable[[float], None]:
    numbers = itertools.count(1)

    def send_ph(ph: float) -> None:
        assert site.hub.send([site.hub.row(next(numbers), ph=ph)]).status == 201

    return send_ph


@pytest.fixture
def alert(site: Site, rule_id: int, send: Callable[[float], None]) -> Any:
    """An alert that has just been raised."""
    send(7.2)
    send(6.0)
    (found,) = site.rows("viewer", f"alerts?is_active=is.true&rule_id=eq.{rule_id}")
    return found


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def events(site: Site, alert_id: int) -> list[tuple[str, str | None, str | None]]:
    query = f"alert_events?alert_id=eq.{alert_id}&order=id"
    return [(row["event_type"], row["user_id"], row["note"]) for row in site.rows("viewer", query)]


def test_an_alert_is_acknowledged_once_and_answered_as_one_object(site: Site, alert: Any) -> None:
    first = site.call("operator", "acknowledge_alert", alert_id=alert["id"], note="on my way")
    acknowledged = {
        "is_acknowledged": True,
        "acknowledged_by": site.ids["operator"],
        "acknowledged_at": first.body["acknowledged_at"],
    }
    assert (first.status, first.body) == (200, {**alert, **acknowledged})
    assert datetime.fromisoformat(first.body["acknowledged_at"]) <= datetime.now(UTC)
    again = site.call("admin", "acknowledge_alert", alert_id=alert["id"], note="me too")
    assert again.body == first.body
    assert events(site, alert["id"]) == [
        ("raised", None, None),
        ("acknowledged", site.ids["operator"], "on my way"),
    ]


def test_an_alert_is_resolved_once(site: Site, alert: Any) -> None:
    first = site.call("operator", "resolve_alert", alert_id=alert["id"], note="valve replaced")
    assert (first.status, first.body["is_active"]) == (200, False)
    assert first.body["resolved_by"] == site.ids["operator"]
    assert first.body["cleared_at"] == first.body["resolved_at"]
    assert site.call("admin", "resolve_alert", alert_id=alert["id"]).body == first.body
    assert events(site, alert["id"])[1:] == [("resolved", site.ids["operator"], "valve replaced")]
    assert site.rows("viewer", "alerts?is_active=is.true") == []


def test_a_device_is_silenced_and_the_silence_ended(site: Site, alert: Any) -> None:
    until = in_an_hour()
    silence = {"device_id": site.hub.tank_id, "reason": "works on the pump"}
    answer = site.call("operator", "silence_alerts", **silence, until_time=until)
    assert answer.status == 200
    assert datetime.fromisoformat(answer.body["silenced_until"]) == datetime.fromisoformat(until)
    assert (answer.body["rule_id"], answer.body["created_by"]) == (None, site.ids["operator"])
    assert site.rows("viewer", "alert_silences") == [answer.body]
    (held,) = site.rows("viewer", f"alerts?id=eq.{alert['id']}")
    assert held["silenced_until"] == answer.body["silenced_until"]

    ended = site.call("admin", "silence_alerts", **silence, until_time=datetime.now(UTC).isoformat())
    assert (ended.status, ended.body["id"]) == (200, answer.body["id"])
    assert [event for event, _, _ in events(site, alert["id"])] == ["raised", "silenced", "silenced"]


def test_a_rule_is_silenced_for_all_its_devices_or_for_one(site: Site, rule_id: int) -> None:
    for device_id in (None, site.hub.tank_id):
        silence = {"rule_id": rule_id, "device_id": device_id, "reason": "season"}
        answer = site.call("operator", "silence_alerts", **silence, until_time=in_an_hour())
        assert (answer.status, answer.body["device_id"], answer.body["rule_id"]) == (200, device_id, rule_id)


@pytest.mark.parametrize("function", ["acknowledge_alert", "resolve_alert"])
def test_an_alert_that_is_not_there_looks_like_one_that_is_not_yours(
    site: Site, alert: Any, function: str
) -> None:
    asked = [("operator", 999_999_999), ("stranger", alert["id"]), ("viewer", alert["id"])]
    for who, number in asked:
        answer = site.call(who, function, alert_id=number)
        refused(answer, 403, "42501", f"there is no alert {number} that you may handle")
    assert site.rows("stranger", "alerts") == []
    assert [event for event, _, _ in events(site, alert["id"])] == ["raised"]


@pytest.mark.parametrize("function", ["acknowledge_alert", "resolve_alert", "silence_alerts"])
def test_those_it_is_not_for_are_told_so(site: Site, alert: Any, function: str) -> None:
    silence = {"device_id": site.hub.tank_id, "until_time": in_an_hour(), "reason": "none"}
    arguments = silence if function == "silence_alerts" else {"alert_id": alert["id"]}
    for who, status in (("nobody", 401), ("device", 403)):
        answer = site.call(who, function, **arguments)
        refused(answer, status, "42501", f"permission denied for function {function}")


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_whoever_may_only_look_silences_nothing(site: Site, rule_id: int, who: str) -> None:
    for what in ({"device_id": site.hub.tank_id}, {"rule_id": rule_id}):
        answer = site.call(who, "silence_alerts", **what, until_time=in_an_hour(), reason="none")
        refused(answer, 403, "42501", "there is no such device or rule that you may silence")


def test_the_secret_key_handles_alerts_in_nobodys_name(site: Site, alert: Any) -> None:
    answer = site.call_with_secret_key("acknowledge_alert", alert_id=alert["id"])
    assert (answer.status, answer.body["acknowledged_by"]) == (200, None)


@pytest.mark.parametrize(
    ("changed", "status", "code", "words"),
    [
        ({"until_time": "tomorrow noon"}, 400, "22007", "invalid input syntax for type timestamp"),
        ({"until_time": 1_800_000_000_000}, 400, "22008", "date/time field value out of range"),
        ({"until_time": True}, 400, "22007", "invalid input syntax for type timestamp"),
        ({"until_time": None}, 400, "23514", "a silence ends within a year"),
        ({"until_time": "2099-01-01T00:00:00Z"}, 400, "23514", "a silence ends within a year"),
        ({"reason": None}, 400, "23502", 'null value in column "reason"'),
        ({"reason": ""}, 400, "23514", "alert_silences_reason_check"),
        ({"reason": "x" * 501}, 400, "23514", "alert_silences_reason_check"),
        ({"device_id": "tank"}, 400, "22P02", "invalid input syntax for type integer"),
        ({"device_id": None}, 403, "42501", "there is no such device or rule that you may silence"),
        ({"device_id": 999_999_999}, 403, "42501", "there is no such device or rule that you may silence"),
        ({"rule_id": 999_999_999}, 403, "42501", "there is no such device or rule that you may silence"),
        ({"until": "now"}, 404, "PGRST202", "Could not find the function public.silence_alerts"),
    ],
)
def test_a_wrong_silence_is_refused_with_its_reason(
    site: Site, changed: dict[str, object], status: int, code: str, words: str
) -> None:
    silence = {"device_id": site.hub.tank_id, "until_time": in_an_hour(), "reason": "works", **changed}
    refused(site.call("operator", "silence_alerts", **silence), status, code, words)


@pytest.mark.parametrize("number", ["one", 1.5, [1], {}, True])
def test_the_number_of_an_alert_is_a_number(site: Site, number: object) -> None:
    answer = site.call("operator", "acknowledge_alert", alert_id=number)
    refused(answer, 400, "22P02", "invalid input syntax for type bigint")
