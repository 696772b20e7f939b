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


def with_refresh(bearer: str, refresh_token: object) -> Answer:
    fields = {"access_token": bearer, "expires_in": 7200, "refresh_token": refresh_token}
    return Answer(200, json.dumps(fields).encode())


def asks_with(mine: Token) -> dict[str, str]:
    request = mine.request(0.0)
    assert request.path == "/functions/v1/device-token"
    asked: dict[str, str] = json.loads(request.body)
    return asked


SECRET = {"device_key": "site-7", "secret": "s3cret"}


def test_asks_with_the_refresh_token_it_was_given_last() -> None:
    mine = token()
    for number in range(3):
        mine.take(with_refresh("a", f"r{number}"), 0.0)
        assert asks_with(mine) == {"refresh_token": f"r{number}"}


@pytest.mark.parametrize("refresh_token", [None, "", 7, ["r"]])
def test_asks_with_the_secret_where_there_is_no_refresh_token(refresh_token: object) -> None:
    mine = token()
    mine.take(with_refresh("a", "r"), 0.0)
    mine.take(with_refresh("b", refresh_token), 0.0)
    assert asks_with(mine) == SECRET


@pytest.mark.parametrize(
    "came", [Failure(exchange.CUT, "in between"), Answer(503), Answer(200, b"[]"), Answer(429, b"{}")]
)
def test_never_shows_a_refresh_token_twice(came: Answer | Failure) -> None:
    mine = token()
    mine.take(with_refresh("a", "r"), 0.0)
    assert asks_with(mine) == {"refresh_token": "r"}
    mine.take(came, 0.0)
    assert asks_with(mine) == SECRET


def test_falls_back_to_the_secret_when_the_refresh_token_is_refused_and_not_when_the_secret_is() -> None:
    mine = token()
    mine.take(with_refresh("a", "r"), 0.0)
    asks_with(mine)
    refused = mine.take(Answer(401, b'{"code":"reused","message":"used before"}'), 0.0)
    assert mine.falls_back(refused)
    assert asks_with(mine) == SECRET
    refused = mine.take(Answer(401, b'{"code":"refused","message":"unknown device"}'), 0.0)
    assert not mine.falls_back(refused)


def test_a_wrong_api_key_is_no_reason_to_show_the_secret() -> None:
    mine = token()
    mine.take(with_refresh("a", "r"), 0.0)
    asks_with(mine)
    assert not mine.falls_back(mine.take(Answer(401, b'{"message":"Invalid API key"}'), 0.0))
