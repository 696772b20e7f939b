"""Commands over HTTP: people order with their tokens, the hub fetches and reports with its own."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.local_cloud.site import Site, refused
from tools.local_cloud.process_io import CloudProcess


@pytest.fixture(scope="module")
def site(local_cloud: CloudProcess) -> Site:
    return Site(local_cloud)


@pytest.fixture(autouse=True)
def _nothing_under_way(site: Site) -> None:
    while site.call("device", "claim_commands", batch_size=200).body:
        pass


def ordered(site: Site, command_type: str = "identify", who: str = "operator", **arguments: Any) -> Any:
    """Return a command that was just ordered of the tank."""
    answer = site.call(
        who, "create_command", device_id=site.hub.tank_id, command_type=command_type, **arguments
    )
    assert answer.status == 200, answer.body
    return answer.body


def claimed(site: Site, who: str = "device", **arguments: Any) -> list[int]:
    answer = site.call(who, "claim_commands", **arguments)
    assert answer.status == 200, answer.body
    return [command["id"] for command in answer.body]


def test_an_order_is_answered_with_the_command_as_one_object(site: Site) -> None:
    command = ordered(site, "set_interval", args={"interval_s": 30}, expires_in_s=60)
    assert command["args"] == {"interval_s": 30}
    assert (command["status"], command["is_dangerous"], command["is_approved"]) == ("pending", False, True)
    assert command["created_by"] == site.ids["operator"]
    created_at, expires_at = (datetime.fromisoformat(command[at]) for at in ("created_at", "expires_at"))
    assert expires_at - created_at == timedelta(seconds=60)
    assert created_at <= datetime.now(UTC)


def test_the_whole_way_of_a_command(site: Site) -> None:
    command = ordered(site, "sample_now")
    (sent,) = site.call("device", "claim_commands", batch_size=5).body
    assert sent == {**command, "status": "sent", "sent_at": sent["sent_at"]}
    assert claimed(site) == []

    begun = site.call("device", "report_command", command_id=command["id"], status="executing")
    assert (begun.status, begun.body) == (200, "executing")
    said = {"result": {"ph": 7.2}, "stdout": "ok", "exit_code": 0, "duration_ms": 1200}
    ended = site.call("device", "report_command", command_id=command["id"], status="executed", **said)
    assert (ended.status, ended.body) == (200, "executed")
    again = site.call("device", "report_command", command_id=command["id"], status="executed")
    assert (again.status, again.body) == (200, "executed")

    steps = site.rows("viewer", f"device_command_history?command_id=eq.{command['id']}&order=id")
    assert [(step["actor_type"], step["status"]) for step in steps] == [
        ("person", "pending"),
        ("device", "sent"),
        ("device", "executing"),
        ("device", "executed"),
    ]
    assert {name: steps[-1][name] for name in said} == said


@pytest.mark.parametrize("result", ["a text", "{}", 5, True, None, [1, "two"], {"é": "\N{SNOWMAN}"}])
def test_any_json_is_a_result_and_stays_what_it_was(site: Site, result: object) -> None:
    command = ordered(site)
    assert claimed(site) == [command["id"]]
    answer = site.call("device", "report_command", command_id=command["id"], status="executed", result=result)
    assert (answer.status, answer.body) == (200, "executed")
    query = f"device_command_history?command_id=eq.{command['id']}&status=eq.executed&select=result"
    assert site.rows("operator", query) == [{"result": result}]


def test_the_same_order_with_the_same_key_is_made_once(site: Site) -> None:
    key = uuid.uuid4().hex
    first = ordered(site, idempotency_key=key)
    assert ordered(site, idempotency_key=key) == first
    arguments = {"device_id": site.hub.tank_id, "command_type": "sync_now", "idempotency_key": key}
    refused(site.call("operator", "create_command", **arguments), 409, "23505", "which is another")


def test_a_dangerous_order_waits_for_a_second_person(site: Site) -> None:
    command = ordered(site, "reboot", "admin")
    assert (command["is_dangerous"], command["is_approved"]) == (True, None)
    assert claimed(site) == []
    decision = {"command_id": command["id"], "is_approved": True}
    refused(site.call("admin", "approve_command", **decision), 403, "42501", "decision of a second person")
    refused(site.call("operator", "approve_command", **decision), 403, "42501", "about which you may decide")
    approved = site.call("second_admin", "approve_command", **decision, reason="agreed")
    assert (approved.status, approved.body) == (200, {**command, "is_approved": True})
    refused(site.call("second_admin", "approve_command", **decision), 409, "23505", "has been decided about")
    assert claimed(site) == [command["id"]]
    (kept,) = site.rows("viewer", f"command_approvals?command_id=eq.{command['id']}")
    assert (kept["decided_by"], kept["reason"]) == (site.ids["second_admin"], "agreed")


def test_what_the_second_person_refuses_is_cancelled(site: Site) -> None:
    command = ordered(site, "reboot")
    answer = site.call("admin", "approve_command", command_id=command["id"], is_approved=False)
    assert (answer.status, answer.body["status"], answer.body["is_approved"]) == (200, "cancelled", False)
    again = site.call("admin", "approve_command", command_id=ordered(site, "reboot")["id"], is_approved=None)
    refused(again, 400, "23514", "is approved or it is not")


def test_a_cancelled_order_is_not_fetched_and_a_fetched_one_not_cancelled(site: Site) -> None:
    command = ordered(site)
    cancelled = site.call("operator", "cancel_command", command_id=command["id"])
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert site.call("admin", "cancel_command", command_id=command["id"]).body == cancelled.body
    assert claimed(site) == []
    late = ordered(site)
    assert claimed(site) == [late["id"]]
    refused(site.call("operator", "cancel_command", command_id=late["id"]), 400, "23514", "is sent")


def test_what_has_ended_is_ordered_once_more_as_a_new_command(site: Site) -> None:
    command = ordered(site, "set_interval", args={"interval_s": 60})
    refused(
        site.call("operator", "resend_command", command_id=command["id"]), 400, "23514", "still under way"
    )
    site.call("operator", "cancel_command", command_id=command["id"])
    key = uuid.uuid4().hex
    first, second = (
        site.call("admin", "resend_command", command_id=command["id"], idempotency_key=key) for _ in range(2)
    )
    assert first.status == 200
    assert first.body == second.body
    assert first.body["id"] != command["id"]
    assert (first.body["resend_of"], first.body["args"]) == (command["id"], {"interval_s": 60})
    assert first.body["created_by"] == site.ids["admin"]


def test_commands_are_claimed_oldest_first_by_their_own_hub_alone(site: Site) -> None:
    commands = [ordered(site)["id"] for _ in range(3)]
    assert claimed(site, "other_device") == []
    assert claimed(site, batch_size=2) == commands[:2]
    answer = site.ask("device", "POST", "/rest/v1/rpc/claim_commands?select=id,args", {})
    assert (answer.status, answer.body) == (200, [{"id": commands[2], "args": {}}])
    report = {"command_id": commands[0], "status": "executed"}
    refused(site.call("other_device", "report_command", **report), 403, "42501", "this device has been sent")


def test_a_lost_answer_is_found_among_what_was_sent(site: Site) -> None:
    command = ordered(site)
    assert claimed(site) == [command["id"]]
    query = "device_commands?status=in.(sent,executing)&order=id&select=id,command_type"
    assert {"id": command["id"], "command_type": "identify"} in site.rows("device", query)


def test_a_read_claims_nothing(site: Site) -> None:
    command = ordered(site)
    answer = site.ask("device", "GET", "/rest/v1/rpc/claim_commands")
    assert (answer.status, answer.body["code"]) == (405, "25006")
    assert claimed(site) == [command["id"]]


ORDERS = [
    ({"command_type": "explode"}, 400, "23514", 'there is no command type "explode"'),
    ({"args": {"duration_s": 0}}, 400, "23514", "duration_s must be between 1 and 600"),
    ({"args": {"colour": "red"}}, 400, "23514", "colour is not known"),
    ({"args": [1]}, 400, "23514", "are an object"),
    ({"args": "{}"}, 400, "23514", "are an object"),
    ({"args": {"token": "x"}}, 400, "23514", "carry no secrets"),
    ({"expires_in_s": 5}, 400, "23514", "10 to 2592000 seconds"),
    ({"expires_in_s": "soon"}, 400, "22P02", "invalid input syntax for type integer"),
    ({"device_id": "tank"}, 400, "22P02", "invalid input syntax for type integer"),
    ({"device_id": [1]}, 400, "22P02", "invalid input syntax for type integer"),
    ({"device_id": 2**40}, 400, "22003", "out of range for type integer"),
    ({"idempotency_key": ""}, 400, "23514", "device_commands_idempotency_key_check"),
    ({"device_id": 999_999_999}, 403, "42501", "you may not order identify of device 999999999"),
    ({"colour": "red"}, 404, "PGRST202", "Could not find the function public.create_command"),
]


@pytest.mark.parametrize(("changed", "status", "code", "words"), ORDERS)
def test_a_wrong_order_is_refused_with_its_reason(
    site: Site, changed: dict[str, object], status: int, code: str, words: str
) -> None:
    order = {"device_id": site.hub.tank_id, "command_type": "identify", **changed}
    refused(site.call("admin", "create_command", **order), status, code, words)


@pytest.mark.parametrize(
    ("said", "status", "code", "words"),
    [
        ({"status": "done"}, 400, "22P02", "invalid input value for enum"),
        ({"status": "cancelled"}, 400, "23514", "a device does not say that a command is cancelled"),
        ({"exit_code": "none"}, 400, "22P02", "invalid input syntax for type integer"),
        ({"duration_ms": -1}, 400, "23514", "device_command_history_duration_ms_check"),
        ({"command_id": 999_999_999}, 403, "42501", "there is no command 999999999"),
    ],
)
def test_a_wrong_report_is_refused_with_its_reason(
    site: Site, said: dict[str, object], status: int, code: str, words: str
) -> None:
    command = ordered(site)
    assert claimed(site) == [command["id"]]
    report = {"command_id": command["id"], "status": "executed", **said}
    refused(site.call("device", "report_command", **report), status, code, words)
    (kept,) = site.rows("device", f"device_commands?id=eq.{command['id']}&select=status")
    assert kept == {"status": "sent"}


@pytest.mark.parametrize("value", ["perhaps", [], {"a": 1}, 7])
def test_a_decision_is_yes_or_no(site: Site, value: object) -> None:
    command = ordered(site, "reboot")
    answer = site.call("admin", "approve_command", command_id=command["id"], is_approved=value)
    refused(answer, 400, "22P02", "invalid input syntax for type boolean")


@pytest.mark.parametrize("function", ["approve_command", "cancel_command", "resend_command"])
def test_a_command_that_is_not_there_looks_like_one_of_strangers(site: Site, function: str) -> None:
    decision: dict[str, Any] = {"is_approved": True} if function == "approve_command" else {}
    command = ordered(site, "reboot")
    for who, number in (("admin", 999_999_999), ("stranger", command["id"])):
        answer = site.call(who, function, command_id=number, **decision)
        refused(answer, 403, "42501", f"there is no command {number} about which you may decide")


CALLS: dict[str, dict[str, Any]] = {
    "create_command": {"device_id": 0, "command_type": "identify"},
    "approve_command": {"command_id": 0, "is_approved": True},
    "cancel_command": {"command_id": 0},
    "resend_command": {"command_id": 0},
    "claim_commands": {},
    "report_command": {"command_id": 0, "status": "executed"},
}
OF_DEVICES = ("claim_commands", "report_command")


@pytest.mark.parametrize("function", CALLS)
def test_those_it_is_not_for_are_told_so(site: Site, function: str) -> None:
    others = ("admin", "nobody") if function in OF_DEVICES else ("device", "nobody")
    for who in others:
        answer = site.call(who, function, **CALLS[function])
        status = 401 if who == "nobody" else 403
        refused(answer, status, "42501", f"permission denied for function {function}")
    # It is nobody's order and nobody's deed.
    answer = site.call_with_secret_key(function, **CALLS[function])
    refused(answer, 403, "42501", f"permission denied for function {function}")


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_whoever_may_only_look_orders_nothing(site: Site, who: str) -> None:
    order: dict[str, Any] = {"device_id": site.hub.tank_id, "command_type": "identify"}
    refused(site.call(who, "create_command", **order), 403, "42501", "you may not order identify")
    command = ordered(site, "reboot")
    refused(site.call(who, "cancel_command", command_id=command["id"]), 403, "42501", "may decide")
    order["command_type"] = "calibrate"
    refused(site.call("operator", "create_command", **order), 403, "42501", "you may not order calibrate")
    assert site.rows("stranger", "device_commands") == []


def test_a_token_of_nobody_opens_nothing(site: Site) -> None:
    answer = site.hub.request("POST", "/rest/v1/rpc/claim_commands", {}, token="a.b.c")
    assert (answer.status, answer.body["code"]) == (401, "PGRST301")


def test_a_revoked_hub_is_given_nothing(local_cloud: CloudProcess) -> None:
    site = Site(local_cloud)
    command = ordered(site)
    local_cloud.admin.revoke_device(site.hub.key)
    assert claimed(site) == []
    report = {"command_id": command["id"], "status": "executed"}
    refused(site.call("device", "report_command", **report), 403, "42501", "there is no command")
