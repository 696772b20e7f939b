"""device-token: refresh tokens that serve once, and tokens that anybody can verify."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.supabase.functions.deno import Functions
from tests.tools.local_cloud.hub import Answer, Hub
from tools.local_cloud.process_io import CloudProcess

PATH = "/functions/v1/device-token"


@pytest.fixture
def hub(local_cloud: CloudProcess) -> Hub:
    return Hub(local_cloud)


def refresh(hub: Hub, token: str) -> Answer:
    return hub.request("POST", PATH, {"refresh_token": token}, token=None)


def test_a_refresh_token_gives_a_token_that_opens_and_the_next_refresh_token(hub: Hub) -> None:
    first = hub.ask_for_token().body
    answer = refresh(hub, first["refresh_token"])
    assert answer.status == 200
    assert set(answer.body) == {
        "access_token", "token_type", "expires_in", "expires_at", "device_id", "refresh_token",
    }  # fmt: skip
    assert (answer.body["token_type"], answer.body["device_id"]) == ("bearer", hub.id)
    assert hub.send([hub.row(1)], answer.body["access_token"]).status == 201
    assert refresh(hub, answer.body["refresh_token"]).status == 200


def test_a_refresh_token_used_again_is_refused_and_ends_those_after_it(hub: Hub) -> None:
    first = hub.ask_for_token().body["refresh_token"]
    second = refresh(hub, first).body["refresh_token"]
    again = refresh(hub, first)
    assert (again.status, again.body["code"]) == (401, "reused")
    after = refresh(hub, second)
    assert (after.status, after.body["code"]) == (401, "refused")
    assert hub.ask_for_token().status == 200


def test_of_many_at_once_with_one_refresh_token_one_is_answered(hub: Hub) -> None:
    token = hub.ask_for_token().body["refresh_token"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: refresh(hub, token), range(6)))
    assert [answer.status for answer in answers].count(200) == 1
    (granted,) = [answer for answer in answers if answer.status == 200]
    assert refresh(hub, granted.body["refresh_token"]).status == 401


def test_a_revoked_device_gets_nothing_for_its_refresh_token(hub: Hub) -> None:
    token = hub.ask_for_token().body["refresh_token"]
    hub.cloud.admin.revoke_device(hub.key)
    answer = refresh(hub, token)
    assert (answer.status, answer.body["code"]) == (401, "refused")


@pytest.mark.parametrize(
    "token", ["", "short", "A" * 43, "A" * 3000, "'; drop table devices; --", "\x00", "\ud800"]
)
def test_what_is_no_refresh_token_is_refused(hub: Hub, token: str) -> None:
    answer = refresh(hub, token)
    assert (answer.status, answer.body["code"]) == (401, "refused")


@pytest.mark.parametrize(
    "body",
    [{"refresh_token": 1}, {"refresh_token": None}, {"secret": "A" * 43}, {"refresh_token": "A" * 5000}],
)
def test_what_is_neither_way_of_asking_is_a_bad_request(hub: Hub, body: dict[str, Any]) -> None:
    answer = hub.request("POST", PATH, body, token=None)
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


@pytest.mark.parametrize("device_key", ["\x00", "hub\x00", "\ud800", "' or 1=1 --", "k" * 2000])
def test_a_key_that_is_no_key_is_refused(hub: Hub, device_key: str) -> None:
    answer = hub.ask_for_token(device_key=device_key)
    assert answer.status in {400, 401}
    assert answer.body["code"] in {"bad_request", "refused"}


def test_only_a_post_with_a_key_of_the_project_is_answered(hub: Hub) -> None:
    assert hub.request("GET", PATH, token=None).status == 405
    answer = hub.request("POST", PATH, {}, token=None, key="sb_publishable_wrong")
    assert (answer.status, answer.body["code"]) == (401, "bad_api_key")
    assert hub.request("POST", PATH, {}, token=None, key=hub.cloud.secret_key).status == 400
    assert hub.request("POST", "/functions/v1/none", {}, token=None).status == 404


@pytest.fixture(scope="module")
def signing_key() -> dict[str, Any]:
    """An ES256 key as `supabase gen signing-key --algorithm ES256` writes it."""
    jwk = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1())))
    return {
        **jwk,
        "kid": "b81269f1-21d8-4f2e-b719-c2240a840d90",
        "use": "sig",
        "key_ops": ["sign"],
        "alg": "ES256",
        "ext": True,
    }


@pytest.fixture(scope="module")
def es256(local_cloud: CloudProcess, signing_key: dict[str, Any]) -> Iterator[Functions]:
    secrets = {"PENSTOCK_JWT_KEY": json.dumps(signing_key), "PENSTOCK_JWT_SECRET": "not used"}
    with Functions(local_cloud, secrets) as functions:
        yield functions


def test_with_an_imported_key_tokens_are_es256_and_name_it(
    hub: Hub, es256: Functions, signing_key: dict[str, Any]
) -> None:
    answer = es256.post(
        "device-token", {"device_key": hub.key, "secret": hub.secret}, key=hub.cloud.publishable_key
    )
    assert answer.status == 200
    token = answer.body["access_token"]
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": signing_key["kid"]}
    public = {name: signing_key[name] for name in ("kty", "crv", "x", "y")}
    claims = jwt.decode(token, ECAlgorithm.from_jwk(public), algorithms=["ES256"])
    assert set(claims) == {"role", "device_id", "device_key", "iat", "exp"}
    assert (claims["role"], claims["device_id"], claims["device_key"]) == ("device", hub.id, hub.key)
    assert claims["exp"] - claims["iat"] == answer.body["expires_in"] == 7200


@pytest.mark.parametrize(
    ("secrets", "sentence"),
    [
        ({}, "neither PENSTOCK_JWT_KEY nor PENSTOCK_JWT_SECRET is set"),
        ({"PENSTOCK_JWT_KEY": "{"}, "PENSTOCK_JWT_KEY is not a private ES256 key"),
        (
            {"PENSTOCK_JWT_KEY": '{"kty":"EC","crv":"P-256","x":"a","y":"b","kid":"k"}'},
            "is not a private ES256 key",
        ),
    ],
)
def test_without_a_right_key_the_log_says_so_and_nobody_else_learns_it(
    hub: Hub, secrets: dict[str, str], sentence: str
) -> None:
    with Functions(hub.cloud, secrets) as functions:
        answer = functions.post("device-token", {"device_key": hub.key, "secret": hub.secret})
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert "KEY" not in answer.body["message"]
        log = functions.stop()
    assert sentence in log
    assert hub.secret not in log


def test_no_token_lives_longer_than_two_hours(hub: Hub) -> None:
    with Functions(
        hub.cloud, {"PENSTOCK_JWT_SECRET": "x" * 32, "PENSTOCK_TOKEN_LIFE_S": "86400"}
    ) as functions:
        answer = functions.post("device-token", {"device_key": hub.key, "secret": hub.secret})
        assert answer.body["expires_in"] == 7200
