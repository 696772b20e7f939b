"""The Edge Functions beside the local cloud: the same process group, no way out, and no longer life than its."""

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.tools.local_cloud.hub import Hub
from tools.local_cloud.process_io import CloudProcess

DEADLINE_S = 20


@pytest.fixture
def cloud() -> Iterator[CloudProcess]:
    with CloudProcess() as running:
        yield running


def deno_of(cloud: CloudProcess) -> psutil.Process:
    (found,) = [child for child in psutil.Process(cloud.pid).children() if "deno" in child.name()]
    return found


def assert_ends(process: psutil.Process) -> None:
    try:
        process.wait(DEADLINE_S)
    except psutil.TimeoutExpired:
        pytest.fail("Deno outlives the local cloud")


def test_deno_ends_with_the_local_cloud_however_that_ends(cloud: CloudProcess) -> None:
    deno = deno_of(cloud)
    assert cloud.pid is not None
    os.kill(cloud.pid, signal.SIGKILL)
    assert_ends(deno)
    cloud.stop()
    with CloudProcess() as another:
        deno = deno_of(another)
    assert_ends(deno)


def test_functions_reach_nothing_but_this_machine_and_fetch_no_code(cloud: CloudProcess) -> None:
    command = deno_of(cloud).cmdline()
    assert {"--no-remote", "--no-npm", "--cached-only", "--allow-net=127.0.0.1"} <= set(command)
    allowed = {option.partition("=")[0] for option in command if option.startswith("--allow")}
    assert allowed == {"--allow-env", "--allow-net"}


def test_the_cloud_goes_on_when_the_functions_have_ended(cloud: CloudProcess) -> None:
    hub = Hub(cloud)
    deno = deno_of(cloud)
    deno.kill()
    assert_ends(deno)
    deadline_s = time.monotonic() + DEADLINE_S
    while (answer := hub.ask_for_token()).status != 503:
        assert time.monotonic() < deadline_s
    assert answer.body["code"] == "BOOT_ERROR"
    assert hub.send([hub.row(1)]).status == 201
