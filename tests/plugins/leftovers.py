"""Tests end what they start: a process that outlives them makes the last of them fail."""

import os

import psutil
import pytest

PATIENCE_S = 5.0  # a server told to stop may still be writing
PYTHONS_OWN = "multiprocessing.resource_tracker"  # ends with the interpreter


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    if nextitem is None:
        _, alive = psutil.wait_procs(_children(), timeout=PATIENCE_S)
        if alive:
            left = "; ".join(_sentence(process) for process in alive)
            pytest.fail(f"still running after the tests: {left}", pytrace=False)


def _children() -> list[psutil.Process]:
    children = psutil.Process(os.getpid()).children(recursive=True)
    return [process for process in children if PYTHONS_OWN not in _sentence(process)]


def _sentence(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}"
