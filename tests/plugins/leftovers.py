"""Tests end what they start: a process that outlives the run makes it fail."""

import os

import psutil
import pytest

PATIENCE_S = 5.0  # a server told to stop may still be writing
PYTHONS_OWN = "multiprocessing.resource_tracker"  # ends with the interpreter


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    _, alive = psutil.wait_procs(_children(), timeout=PATIENCE_S)
    if alive:
        sentences = [f"\nstill running after the tests: {_sentence(process)}" for process in alive]
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line("".join(sentences), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _children() -> list[psutil.Process]:
    children = psutil.Process(os.getpid()).children(recursive=True)
    return [process for process in children if PYTHONS_OWN not in _sentence(process)]


def _sentence(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}"
