"""The issuer of device tokens."""

import jwt
import pytest

from shared_schema.limits import DEVICE_TOKEN_S
from tests.tools.local_cloud.hub import Hub

PATH = "/functions/v1/device-token"


def test_a_token_says_who_the_device_is_and_ends(hub: Hub) -> None:
    answer = hub.ask_for_token()
    assert answer.status == 200
    assert hub.cloud.keys is not None
    claims = jwt.decode(answer.body["access_token"], hub.cloud.keys.jwt_secret, algorithms=["HS256"])
    assert (claims["role"], claims["device_id"], claims["device_key"]) == ("device", hub.id, hub.key)
    assert claims["exp"] - claims["iat"] == answer.body["expires_in"] == DEVICE_TOKEN_S


@pytest.mark.parametrize("secret", ["", "short", "A" * 43, "A" * 1000, "'; drop table devices; --"])
def test_a_wrong_secret_is_refused(hub: Hub, secret: str) -> None:
    body = {"device_key": hub.key, "secret": secret}
    answer = hub.request("POST", PATH, body, token=None)
    assert (answer.status, answer.body["code"]) == (401, "refused")


def test_an_unknown_device_is_answered_like_a_wrong_secret(hub: Hub) -> None:
    unknown = hub.ask_for_token(device_key="nobody")
    wrong = hub.ask_for_token(secret="A" * 43)
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"device_key": 1, "secret": 2}'])
def test_anything_else_is_a_bad_request(hub: Hub, body: bytes) -> None:
    answer = hub.request("POST", PATH, body, token=None)
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


def test_more_than_ten_in_a_minute_are_put_off(hub: Hub) -> None:
    answers = [hub.ask_for_token() for _ in range(21)]  # a minute may end once in between
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    assert int(limited[0].headers["retry-after"]) <= 60
    assert {answer.status for answer in answers} == {200, 429}
