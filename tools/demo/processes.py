"""The demo's two processes besides the cloud: the simulated bus and the hub."""

import asyncio
import contextlib
import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import psutil

from hub.errors import OperatorNeeded
from hub.status_io import read_status
from tools import child

_READY_S = 30.0
_STOP_S = 30.0
_COMMAND = (sys.executable, "-m", "tools.command")


class BusProcess:
    """A running `penstock sim bus --demo`."""

    def __init__(self, process: asyncio.subprocess.Process, port: str) -> None:
        self._process = process
        self.port = port

    @classmethod
    async def start(cls, link: Path) -> "BusProcess":
        """Start the bus; its lasting port name is link."""
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, "sim", "bus", "--demo", "--link", str(link),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        bus = cls(process, "")
        bus.port = (await bus._answer())["port"]
        return bus

    async def obey(self, command: str) -> dict[str, Any]:
        """Send a command line and return its answer."""
        if self._process.stdin is None:
            raise OperatorNeeded("the simulated bus takes no commands")
        self._process.stdin.write(f"{command}\n".encode())
        answer = await self._answer()
        if "error" in answer:
            raise OperatorNeeded(answer["error"])
        return answer

    async def stop(self) -> None:
        """End the bus."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await _ended(self._process)

    async def _answer(self) -> dict[str, Any]:
        if self._process.stdout is None:
            raise OperatorNeeded("the simulated bus says nothing")
        line = await asyncio.wait_for(self._process.stdout.readline(), _READY_S)
        if not line:
            raise OperatorNeeded("the simulated bus ended", hint="try penstock sim bus --demo")
        answer: dict[str, Any] = json.loads(line)
        return answer


class HubProcess:
    """A running `penstock hub …`, and what the operating system says of it. data_dir: where its files lie."""

    def __init__(self, config: Path, data_dir: Path, log: Path) -> None:
        self._config = config
        self.data_dir = data_dir
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._copier: asyncio.Task[None] | None = None

    async def start(self, *arguments: str) -> None:
        """Start the hub; arguments: the subcommand, run unless given."""
        self._process = await asyncio.create_subprocess_exec(
            *_COMMAND, "hub", *(arguments or ("run",)), str(self._config),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._copier = asyncio.create_task(self._copy_log(self._process))

    async def status(self) -> dict[str, Any] | None:
        """Return what the hub says of itself; None while it is away."""
        try:
            return await asyncio.to_thread(read_status, self.data_dir)
        except (OperatorNeeded, FileNotFoundError):
            return None

    def use(self) -> tuple[float, int, int] | None:
        """Return CPU seconds, resident bytes and bytes written to disks so far; None when it does not run."""
        if self._process is None:
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            times = process.cpu_times()
            return times.user + times.system, process.memory_info().rss, process.io_counters().write_bytes
        return None

    def limit_file_size(self, limit_bytes: int) -> None:
        """Let the kernel refuse every write beyond this offset of a file; -1: no limit."""
        if self._process is not None and not self.has_ended:
            _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit_bytes, hard))

    async def kill(self) -> None:
        """End it as a power cut would: no warning, no last words."""
        if self._process is not None:
            child.send(self._process, signal.SIGKILL)
            await self._wait()

    async def stop(self) -> int:
        """Ask it to end, and wait. Return its exit code."""
        if self._process is None:
            return 0
        child.send(self._process, signal.SIGTERM)
        return await self._wait()

    async def wait(self) -> int:
        """Wait until it ends by itself."""
        return await self._wait(timeout_s=None)

    @property
    def has_ended(self) -> bool:
        """True when it is not running."""
        return self._process is None or self._process.returncode is not None

    async def _wait(self, timeout_s: float | None = _STOP_S) -> int:
        process = self._process
        if process is None:
            return 0
        code = await _ended(process, timeout_s)
        if self._copier is not None:
            await self._copier
        return code

    async def _copy_log(self, process: asyncio.subprocess.Process) -> None:
        # A pipe rather than a file: the hub's own disk may be made full.
        if process.stderr is None:
            return
        while line := await process.stderr.readline():
            await asyncio.to_thread(_append, self._log, line)


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)


async def _ended(process: asyncio.subprocess.Process, timeout_s: float | None = _STOP_S) -> int:
    try:
        return await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        child.send(process, signal.SIGKILL)
        return await process.wait()
