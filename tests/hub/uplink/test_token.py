import json

import pytest

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure
from hub.uplink.outcome import Reaction
from hub.uplink.token import Token


def token() -> Token:
    return Token("site-7", "s3cret")


def granted(bearer: str, expires_in: float = 7200) -> Answer:
    return Answer(200, json.dumps({"access_token": bearer, "expires_in": expires_in}).encode())


def test_asks_as_the_device_with_its_secret() -> None:
    request = token().request(0.0)
    assert (request.method, request.path) == ("POST", "/functions/v1/device-token")
    assert json.loads(request.body) == {"device_key": "site-7", "secret": "s3cret"}


@pytest.mark.parametrize(("life_s", "renew_s"), [(7200, 5400), (3600, 2700), (60, 45)])
def test_renews_after_ninety_minutes_or_by_its_expiry(life_s: float, renew_s: float) -> None:
    mine = token()
    assert mine.is_due(100.0)
    assert mine.take(granted("a", life_s), 100.0).reaction is Reaction.STORED
    assert not mine.is_due(99.0 + renew_s)
    assert mine.is_due(100.0 + renew_s)
    assert mine.is_usable(99.0 + life_s)
    assert not mine.is_usable(100.0 + life_s)


def test_renews_after_a_refusal_once_a_minute() -> None:
    mine = token()
    mine.take(granted("a"), 0.0)
    mine.refuse("a")
    assert (mine.is_due(1.0), mine.is_usable(1.0), mine.wait_s(1.0)) == (True, False, 0.0)
    mine.request(1.0)
    mine.take(granted("b"), 1.0)
    assert not mine.is_due(2.0)
    mine.refuse("b")
    assert mine.wait_s(11.0) == 50.0
    assert mine.wait_s(61.0) == 0.0


def test_a_refusal_of_an_older_token_does_not_touch_the_new_one() -> None:
    mine = token()
    mine.take(granted("a"), 0.0)
    mine.take(granted("b"), 1.0)
    mine.refuse("a")
    assert mine.is_usable(2.0)


@pytest.mark.parametrize(
    ("came", "reaction", "code"),
    [
        (Answer(401, b'{"code":"refused","message":"unknown device"}'), Reaction.OPERATOR, "device_refused"),
        (Answer(404, b"{}"), Reaction.OPERATOR, "device_refused"),
        (Answer(401, b'{"message":"Invalid API key"}'), Reaction.OPERATOR, "cloud_key_refused"),
        (Answer(429, b"{}", retry_after="60"), Reaction.AGAIN, "cloud_rate_limited"),
        (Answer(503), Reaction.AGAIN, "cloud_error"),
        (Answer(200, b"[]"), Reaction.AGAIN, "cloud_error"),
        (Answer(200, b'{"access_token":""}'), Reaction.AGAIN, "cloud_error"),
        (Answer(200, b'{"access_token":"a","expires_in":"soon"}'), Reaction.AGAIN, "cloud_error"),
        (Failure(exchange.REFUSED, "nobody"), Reaction.AGAIN, "cloud_unreachable"),
    ],
)
def test_says_why_there_is_no_token(came: Answer | Failure, reaction: Reaction, code: str) -> None:
    mine = token()
    outcome = mine.take(came, 0.0)
    assert (outcome.reaction, outcome.code, mine.bearer) == (reaction, code, "")
