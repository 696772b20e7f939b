"""A hub process under a known load, and what the operating system says it used in a stretch of time."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

from hub.errors import OperatorNeeded
from hub.status_io import read_status

_READY_S = 120.0


class Use(NamedTuple):
    """What a stretch of time cost. points: single values acquired."""

    seconds: float
    cpu_s: float
    points: int
    rss_bytes: int
    bytes_written: int

    @property
    def cores(self) -> float:
        """How many cores it kept busy."""
        return self.cpu_s / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds per million points."""
        return self.cpu_s / max(1, self.points) * 1e6


class HubUnderLoad:
    """A running tools.bench.scale_hub. count_points: how many values the slaves have given so far.

    The hub is not asked while it is measured: a document about thousands of devices would be measured too.
    """

    def __init__(
        self,
        ports: Sequence[int],
        count_points: Callable[[], int],
        *,
        interval_s: float = 1.0,
        cloud: dict[str, Any] | None = None,
    ) -> None:
        self._wanted = {"ports": list(ports), "interval_s": interval_s, "heartbeat_s": 30.0, "cloud": cloud}
        self._count_points = count_points
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-bench-")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tools.bench.scale_hub"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        wanted = json.dumps(self._wanted | {"data_dir": self._folder.name})
        if self._process.stdin is not None:
            self._process.stdin.write(wanted + "\n")
            self._process.stdin.close()
        self._await_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
        self._folder.cleanup()

    def measure(self, seconds: float) -> Use:
        """Let so much time pass and return what it cost."""
        process = psutil.Process(self._process.pid if self._process else 0)
        before, began = self._reading(process), time.monotonic()
        time.sleep(seconds)
        after, took_s = self._reading(process), time.monotonic() - began
        return Use(
            seconds=took_s,
            cpu_s=after[0] - before[0],
            points=after[1] - before[1],
            rss_bytes=process.memory_info().rss,
            bytes_written=after[2] - before[2],
        )

    def _reading(self, process: psutil.Process) -> tuple[float, int, int]:
        times = process.cpu_times()
        return times.user + times.system, self._count_points(), process.io_counters().write_bytes

    def _await_start(self) -> None:
        give_up_s = time.monotonic() + _READY_S
        while time.monotonic() < give_up_s:
            try:
                read_status(Path(self._folder.name))
            except OperatorNeeded:
                if self._process is None or self._process.poll() is not None:
                    break
                time.sleep(0.5)
            else:
                return
        raise OperatorNeeded("the hub under load did not start")
