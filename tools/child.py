"""Signals to processes that asyncio waits for."""

import asyncio
import contextlib
import os


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal, unless the process has ended.

    Process.kill() and its like ask first whether the child lives (Popen.poll), and so wait for one that has
    just died: asyncio's own watcher then finds no child, warns, and reports 255 for its code.
    Source: github.com/python/cpython/issues/87744.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
