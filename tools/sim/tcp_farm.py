"""A farm of Modbus TCP slaves in a few processes, started and asked from a benchmark."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from hub.errors import OperatorNeeded

_ROOT = Path(__file__).resolve().parents[2]
_END_S = 10.0


class FarmReport(NamedTuple):
    """What the slaves saw, one entry per slave where it is a tuple.

    polls: requests for register 0. missed: whole periods without one between a slave's first and last.
    jitter_p99_s: of the distance of spacings from the period, the worst of the processes.
    """

    requests: tuple[int, ...]
    polls: tuple[int, ...]
    missed: int
    spacing_max_s: float
    spacing_p50_s: float
    jitter_p99_s: float
    cpu_s: float


class TcpFarm:
    """Slaves that live while the context lasts. ports: one per slave, on 127.0.0.1, in order of number."""

    def __init__(self, count: int, *, processes: int = 2, period_s: float = 1.0) -> None:
        self.ports: list[int] = []
        self._count = count
        self._parts = min(processes, count)
        self._period_s = period_s
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        for part in range(self._parts):
            first = part * self._count // self._parts
            self._processes.append(self._start(first, (part + 1) * self._count // self._parts - first))
        try:
            for process in self._processes:
                self.ports += _read(process)["ports"]
        except OperatorNeeded:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def report(self) -> FarmReport:
        """Ask what the slaves saw so far."""
        parts = [_ask(process) for process in self._processes]
        return FarmReport(
            requests=tuple(count for part in parts for count in part["requests"]),
            polls=tuple(count for part in parts for count in part["polls"]),
            missed=sum(part["missed"] for part in parts),
            spacing_max_s=max(part["spacing_max_s"] for part in parts),
            spacing_p50_s=max(part["spacing_p50_s"] for part in parts),
            jitter_p99_s=max(part["jitter_p99_s"] for part in parts),
            cpu_s=sum(part["cpu_s"] for part in parts),
        )

    def close(self) -> None:
        """End every slave."""
        for process in self._processes:
            _pipe(process.stdin).close()
        for process in self._processes:
            _end(process)
            _pipe(process.stdout).close()
        self._processes.clear()

    def _start(self, first: int, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tools.sim.tcp_slaves", "--count", str(count)]
        command += ["--first-number", str(first), "--period-s", str(self._period_s)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(process: subprocess.Popen[str]) -> dict[str, Any]:
    pipe = _pipe(process.stdin)
    pipe.write("stats\n")
    pipe.flush()
    return _read(process)


def _read(process: subprocess.Popen[str]) -> dict[str, Any]:
    line = _pipe(process.stdout).readline()
    if not line:
        raise OperatorNeeded("a process of slaves ended", where="TCP farm", hint="its reason is on stderr")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
