"""penstock cloud approve, secret, role, dismiss: who may come in."""

import uuid

import pytest

from tests.tools.local_cloud.hub import Hub
from tools.command.__main__ import main
from tools.local_cloud.process_io import CloudProcess


@pytest.fixture
def target(local_cloud: CloudProcess) -> list[str]:
    return ["--url", local_cloud.url, "--secret-key", local_cloud.secret_key]


def secret_in(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("secret: "))[8:]


def test_a_pending_device_gets_no_token_until_it_is_approved(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    key = hub.key + "-new"
    assert main(["cloud", "register", key, "--kind", "hub", "--pending", *target]) == 0
    secret = secret_in(capsys.readouterr().out)
    assert hub.ask_for_token(secret, key).status == 401
    assert main(["cloud", "approve", key, *target]) == 0
    assert main(["cloud", "approve", key, *target]) == 0
    assert hub.ask_for_token(secret, key).status == 200


def test_a_new_secret_takes_the_place_of_the_old(
    hub: Hub, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", "secret", hub.key, *target]) == 0
    renewed = secret_in(capsys.readouterr().out)
    assert hub.ask_for_token().status == 401
    assert hub.ask_for_token(renewed).status == 200


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["approve", "nobody"], "there is no device 'nobody'"),
        (["secret", "nobody"], 'there is no device "nobody"'),
        (["role", "a@example.org", "viewer"], "say where with --tenant"),
        (["role", "a@example.org", "viewer", "--tenant", "No such"], "there is no tenant 'No such'"),
        (["role", "a@example.org", "superadmin"], 'nobody with the address "a@example.org" has signed up'),
        (["dismiss", "a@example.org"], 'there is nobody with the address "a@example.org"'),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], sentence: str, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cloud", *arguments, *target]) == 1
    assert sentence in capsys.readouterr().err


def test_a_device_is_of_the_tenant_that_was_named(
    local_cloud: CloudProcess, target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, tenant = f"hub-{uuid.uuid4().hex[:8]}", f"Farm {uuid.uuid4().hex[:8]}"
    assert main(["cloud", "register", name, "--kind", "hub", "--tenant", tenant, *target]) == 0
    found = local_cloud.admin.select(f"devices?device_key=eq.{name}&select=tenants(name)")
    assert found == [{"tenants": {"name": tenant}}]
