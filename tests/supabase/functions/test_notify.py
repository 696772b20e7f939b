"""notify: each channel's message, its signature, and what becomes of an answer."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.supabase.functions.deno import LIMITS, Functions
from tests.supabase.functions.rows import insert, remove
from tests.supabase.functions.sink import Received, Sink
from tools.local_cloud.deno_io import FUNCTIONS, run
from tools.local_cloud.process_io import CloudProcess

SECRET = "the webhook secret"
DEADLINE_S = 30


@pytest.fixture
def notify(queues: CloudProcess, sink: Sink) -> Iterator[Functions]:
    """The function with every channel set up towards the sink, and an empty queue."""
    remove(queues, "alerts?id=gt.0")
    secrets = {
        "PENSTOCK_WEBHOOK_SECRET": SECRET,
        "PENSTOCK_SMS_URL": f"{sink.url}/sms",
        "PENSTOCK_SMS_TOKEN": "sms-token",
        "PENSTOCK_SMS_FROM": "Penstock",
        "PENSTOCK_EMAIL_URL": f"{sink.url}/emails",
        "PENSTOCK_EMAIL_TOKEN": "mail-token",
        "PENSTOCK_EMAIL_FROM": "alerts@example.org",
        "PENSTOCK_BOT_URL": sink.url,
        "PENSTOCK_BOT_TOKEN": "12:bot-token",
        "PENSTOCK_ALLOW_LOOPBACK": "1",
    }
    with Functions(queues, secrets) as functions:
        yield functions


def queue(cloud: CloudProcess, *waiting: dict[str, str]) -> None:
    """Have notifications wait: channel_type, address, and if need be the title of the alert."""
    (tank,) = cloud.admin.select("devices?device_key=eq.tank&select=id,tenant_id")
    rule = {"tenant_id": tank["tenant_id"], "channel_type": "bot", "address": "-100123"}
    now = datetime.now(UTC).isoformat()
    alerts = [
        {
            "device_id": tank["id"], "alert_type": "threshold", "severity": "critical",
            "title": one.get("title", "Tank north: low"), "message": "water_level_cm is 12",
            "recorded_at": now, "raised_at": now,
        }
        for one in waiting
    ]  # fmt: skip
    (known,) = insert(cloud, "alert_notification_rules", [rule])
    raised = insert(cloud, "alerts", alerts)
    notifications = [
        {
            "alert_id": alert["id"], "notification_rule_id": known["id"], "event_type": "raised",
            "tenant_id": tank["tenant_id"], "channel_type": one["channel_type"], "address": one["address"],
        }
        for one, alert in zip(waiting, raised, strict=True)
    ]  # fmt: skip
    insert(cloud, "alert_notifications", notifications)


def settled(cloud: CloudProcess) -> list[tuple[str, str | None]]:
    rows = cloud.admin.select("alert_notifications?order=id&select=status,last_error")
    return [(row["status"], row["last_error"]) for row in rows]


def verify(received: Received, secret: str) -> None:
    """Do what a receiver does: compare the signature, and the age."""
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", received.headers["x-penstock-signature"])
    assert found
    mac = hmac.new(secret.encode(), f"{found[1]}.".encode() + received.body, hashlib.sha256)
    assert hmac.compare_digest(mac.hexdigest(), found[2])
    assert abs(time.time() - int(found[1])) < 60


def test_a_webhook_is_signed_and_says_what_happened(
    notify: Functions, queues: CloudProcess, sink: Sink
) -> None:
    queue(queues, {"channel_type": "webhook", "address": f"{sink.url}/hook?a=b", "title": "Überlauf"})
    answer = notify.post("notify")
    assert (answer.status, answer.body) == (200, {"sent": 1, "failed": 0, "is_empty": True})
    (received,) = sink.received
    assert received.path == "/hook?a=b"
    verify(received, SECRET)
    with pytest.raises(AssertionError):
        verify(received, "another secret")
    body = received.json()
    assert (body["severity"], body["title"], body["body"]) == ("critical", "Überlauf", "water_level_cm is 12")
    assert (body["payload"]["device_key"], body["payload"]["event_type"]) == ("tank", "raised")
    assert settled(queues) == [("sent", None)]


def test_sms_email_and_bot_are_sent_as_their_gateways_want_them(
    notify: Functions, queues: CloudProcess, sink: Sink
) -> None:
    queue(
        queues,
        {"channel_type": "sms", "address": "+911234567890"},
        {"channel_type": "email", "address": "a@example.org"},
        {"channel_type": "bot", "address": "-100123"},
    )
    assert notify.post("notify").body["sent"] == 3
    by_path = {received.path: received for received in sink.received}
    sms, mail, bot = by_path["/sms"], by_path["/emails"], by_path["/bot12:bot-token/sendMessage"]
    assert sms.headers["authorization"] == "Bearer sms-token"
    assert sms.json() == {
        "from": "Penstock", "to": "+911234567890", "text": "[critical] Tank north: low\nwater_level_cm is 12",
    }  # fmt: skip
    assert mail.headers["authorization"] == "Bearer mail-token"
    assert mail.headers["idempotency-key"].startswith("penstock-notification-")
    assert mail.json() == {
        "from": "alerts@example.org", "to": ["a@example.org"],
        "subject": "[critical] Tank north: low", "text": "water_level_cm is 12",
    }  # fmt: skip
    assert bot.json() == {"chat_id": "-100123", "text": sms.json()["text"]}


def test_a_line_break_in_a_title_begins_no_header(
    notify: Functions, queues: CloudProcess, sink: Sink
) -> None:
    queue(queues, {"channel_type": "email", "address": "a@example.org", "title": "x\r\nBcc: b@example.org"})
    notify.post("notify")
    assert sink.received[0].json()["subject"] == "[critical] x Bcc: b@example.org"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/status/400", "permanent: answered 400"), ("/status/410", "permanent: answered 410"),
        ("/status/408", "answered 408"), ("/status/429", "answered 429"),
        ("/status/500", "answered 500"), ("/status/503", "answered 503"),
        ("/redirect", "permanent: answered 302: redirects are not followed"),
    ],
)  # fmt: skip
def test_an_answer_says_whether_trying_again_is_worth_it(
    notify: Functions, queues: CloudProcess, sink: Sink, path: str, error: str
) -> None:
    queue(queues, {"channel_type": "webhook", "address": sink.url + path})
    assert notify.post("notify").body == {"sent": 0, "failed": 1, "is_empty": True}
    assert settled(queues) == [("pending", error)]
    assert [received.path for received in sink.received] == [path]


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("http://example.org/hook", "permanent: the address is not https"),
        ("ftp://127.0.0.1/", "permanent: the address is not https"),
        ("file:///etc/passwd", "permanent: the address is not https"),
        ("not an address", "permanent: the address is not a URL"),
        ("https://169.254.169.254/latest/meta-data", "permanent: the address is not a public one"),
        ("https://10.0.0.1/", "permanent: the address is not a public one"),
        ("https://2130706433/", "could not be reached"),
        ("https://[::ffff:192.168.1.1]/", "permanent: the address is not a public one"),
        ("https://metadata.google.internal/", "permanent: the address is not a public one"),
        (
            "https://user:pass@example.org/",
            "permanent: the address holds a password: use the signature instead",
        ),
    ],
)
def test_a_webhook_leads_to_nothing_but_the_public_internet(
    notify: Functions, queues: CloudProcess, address: str, error: str
) -> None:
    queue(queues, {"channel_type": "webhook", "address": address})
    notify.post("notify")
    assert settled(queues) == [("pending", error)]


@pytest.mark.parametrize(
    ("is_public", "addresses"),
    [
        (True, "1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"),
        (False, "127.0.0.1 0.0.0.0 10.255.0.1 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 198.19.0.1"),
        (False, "169.254.169.254 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fd12::1 ff02::1"),
        (False, "::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::1"),
        (
            False,
            "2001:db8::1 2001::1 1::2::3 nonsense 1.2.3 2600::1::2 1:2:3:4:5:6:7:8:9 256.1.1.1 999.1.1.1",
        ),
    ],
)
def test_an_address_is_public_or_not(is_public: bool, addresses: str) -> None:
    asked = addresses.split()
    module = (FUNCTIONS / "_shared" / "address.ts").as_uri()
    question = f"console.log(JSON.stringify({json.dumps(asked)}.map(isPublic)))"
    script = f'import {{ isPublic }} from "{module}"; {question};'
    done = run("run", *LIMITS, "--ext=ts", "-", stdin=script)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [is_public] * len(asked)


def test_without_the_switch_for_tests_loopback_is_not_public_either(queues: CloudProcess, sink: Sink) -> None:
    remove(queues, "alerts?id=gt.0")
    queue(
        queues,
        {"channel_type": "webhook", "address": sink.url},
        {"channel_type": "webhook", "address": "https://127.0.0.1/"},
        {"channel_type": "webhook", "address": "https://localhost/"},
    )
    with Functions(queues, {"PENSTOCK_WEBHOOK_SECRET": SECRET}) as functions:
        functions.post("notify")
    public = "permanent: the address is not a public one"
    assert settled(queues) == [
        ("pending", "permanent: the address is not https"),
        ("pending", public),
        ("pending", public),
    ]
    assert sink.received == []


def test_a_channel_that_is_not_set_up_waits_and_says_what_is_missing(queues: CloudProcess) -> None:
    remove(queues, "alerts?id=gt.0")
    queue(
        queues,
        *(
            {"channel_type": channel, "address": "x"}
            for channel in ("webhook", "sms", "email", "bot", "pigeon")
        ),
    )
    with Functions(queues, {}) as functions:
        functions.post("notify")
    errors = [error or "" for _, error in settled(queues)]
    for error, name in zip(errors, ("WEBHOOK_SECRET", "SMS_URL", "EMAIL_URL", "BOT_TOKEN"), strict=False):
        assert error.startswith("this channel is not set up: set the secret PENSTOCK_" + name)
    assert errors[4] == "permanent: unknown channel pigeon"


def test_many_go_out_at_once_but_not_too_many(notify: Functions, queues: CloudProcess, sink: Sink) -> None:
    queue(queues, *({"channel_type": "webhook", "address": f"{sink.url}/{n}"} for n in range(100)))
    sink.hold.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(notify.post, "notify")
        deadline_s = time.monotonic() + DEADLINE_S
        while sink.at_once < 8 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        sink.hold.set()
        assert answer.result().body == {"sent": 100, "failed": 0, "is_empty": True}
    assert sink.most_at_once == 8
    assert {received.path for received in sink.received} == {f"/{n}" for n in range(100)}


def test_two_calls_at_once_deliver_each_notification_once(
    notify: Functions, queues: CloudProcess, sink: Sink
) -> None:
    queue(queues, *({"channel_type": "webhook", "address": f"{sink.url}/{n}"} for n in range(60)))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: notify.post("notify").body["sent"], range(2)))
    assert sum(answers) == 60
    assert len(sink.received) == len({received.path for received in sink.received}) == 60


def test_a_receiver_that_does_not_answer_is_not_waited_for(queues: CloudProcess, sink: Sink) -> None:
    remove(queues, "alerts?id=gt.0")
    queue(queues, {"channel_type": "webhook", "address": f"{sink.url}/slow"})
    sink.hold.clear()
    secrets = {
        "PENSTOCK_WEBHOOK_SECRET": SECRET,
        "PENSTOCK_ALLOW_LOOPBACK": "1",
        "PENSTOCK_DELIVERY_TIMEOUT_S": "1",
    }
    with Functions(queues, secrets) as functions:
        assert functions.post("notify").body == {"sent": 0, "failed": 1, "is_empty": True}
    assert settled(queues) == [("pending", "no answer within 1 s")]


@pytest.mark.parametrize("function", ["notify", "audit-log", "expire-old-data", "archive"])
def test_only_the_secret_key_calls_what_works_for_everybody(
    notify: Functions, queues: CloudProcess, function: str
) -> None:
    for key in (queues.publishable_key, "", "sb_secret_wrong"):
        answer = notify.post(function, key=key)
        assert (answer.status, answer.body["code"]) == (401, "bad_api_key")


def test_the_log_names_no_secret_and_no_address(notify: Functions, queues: CloudProcess, sink: Sink) -> None:
    queue(
        queues,
        {"channel_type": "webhook", "address": "http://127.0.0.1:9/secret-path"},
        {"channel_type": "bot", "address": "-100123"},
    )
    notify.post("notify")
    log = notify.stop()
    for hidden in ("secret-path", "bot-token", "-100123", SECRET, queues.secret_key):
        assert hidden not in log
    assert ("pending", "could not be reached") in settled(queues)
