"""A child has one waiter, whoever sends it signals."""

import asyncio
import logging
import signal

import pytest

from tools import child

CHILDREN = 60  # with Process.kill about one in three of these loses its exit code


async def test_a_signal_to_a_child_that_is_just_ending_leaves_its_exit_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    codes = set()
    with caplog.at_level(logging.WARNING, "asyncio"):
        for _ in range(CHILDREN):
            process = await asyncio.create_subprocess_exec("true", stdout=asyncio.subprocess.PIPE)
            assert process.stdout is not None
            await process.stdout.read()  # its end closes this, some moments before it can be waited for
            child.send(process, signal.SIGKILL)
            codes.add(await asyncio.wait_for(process.wait(), 10))

    assert codes <= {0, -signal.SIGKILL}
    assert caplog.records == []


async def test_a_signal_to_a_child_that_has_ended_goes_nowhere() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await asyncio.wait_for(process.wait(), 10)
    child.send(process, signal.SIGKILL)
    assert process.returncode == 0
