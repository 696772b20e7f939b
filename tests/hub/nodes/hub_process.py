"""A real hub process that nodes dial, on a folder of its own, with no cloud to empty its outbox."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

from hub.errors import OperatorNeeded, PenstockError
from hub.nodes.keys import SITE_KEY_FILE, format_site_key
from hub.outbox.reader_io import OutboxReader
from hub.ports import Batch
from hub.status_io import read_status
from tests.hub.nodes.node import DEADLINE_S, SITE_KEY

_SITE = """
[hub]
device_key = "{key}"
data_dir = "."
commit_interval_s = 0.1
[outbox]
min_free_bytes = 0
[clock]
trust = "system"
[nodes]
listen = "127.0.0.1"
port = {port}
approve = "{approve}"
"""
START_S = 60.0


class HubProcess:
    """Starts, dies, and starts again over the same files."""

    def __init__(self, folder: Path, key: str, approve: str = "flashed") -> None:
        folder.mkdir()
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "site.toml").write_text(_SITE.format(key=key, port=self.port, approve=approve))
        (folder / SITE_KEY_FILE).write_text(format_site_key(SITE_KEY))
        (folder / SITE_KEY_FILE).chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start, and return when nodes can dial."""
        self._process = self._started()
        ends_s = time.monotonic() + START_S
        while not await asyncio.to_thread(self._is_ready):
            assert self._process.poll() is None, "the hub ended"
            assert time.monotonic() < ends_s
            await asyncio.sleep(0.05)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tools.command", "hub", "run", str(self.folder / "site.toml")]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def _is_ready(self) -> bool:
        try:
            return bool((read_status(self.folder)["nodes"] or {}).get("port"))
        except OperatorNeeded:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def batches(self) -> list[Batch]:
        """Return everything the outbox has on disk."""
        try:
            return list(OutboxReader(self.folder / "outbox.db").batches())
        except PenstockError:  # not made yet, or being written
            return []

    def seqs(self, device_key: str) -> list[int]:
        """Return the numbers of a device's rows on disk, in order, each as often as it is there."""
        return sorted(
            seq
            for batch in self.batches()
            for key, seq in zip(batch.device_keys, batch.seqs, strict=True)
            if key == device_key
        )

    async def stored(self, device_key: str, last_seq: int) -> None:
        """Return once a row is on disk."""
        async with asyncio.timeout(DEADLINE_S):
            while last_seq not in await asyncio.to_thread(self.seqs, device_key):  # noqa: ASYNC110 - of a file
                await asyncio.sleep(0.01)
