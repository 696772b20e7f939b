"""A hub without buses and cloud, for benchmarks of the node link: it can be killed, and tells what it has."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from hub.errors import OperatorNeeded
from hub.nodes.site_key_io import ensure_site_key
from hub.status_io import read_status
from tools.demo.nodes import free_port

PATIENCE_S = 60.0


class NodeHub:
    """A `penstock hub run` with nodes. folder: its own, made when missing. site_key: what nodes need."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.site_key = ensure_site_key(self._data)
        self._config = folder / "hub.toml"
        self._config.write_text(
            '[hub]\ndevice_key = "hub"\ndata_dir = "data"\n[clock]\ntrust = "system"\n'
            f'[nodes]\nlisten = "127.0.0.1"\nport = {self.port}\n',
            encoding="utf-8",
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> float:
        """Start it and return the monotonic second in which it took connections."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.command", "hub", "run", str(self._config),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        give_up_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_s:
            if _is_listening(self.port):
                return time.monotonic()
            await asyncio.sleep(0.01)
        raise OperatorNeeded("the hub did not start", where=str(self._config))

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stored_seq(self, device_key: str) -> int:
        """Return up to which number it stored a connected node's rows; 0 when there is none."""
        try:
            status: dict[str, Any] = await asyncio.to_thread(read_status, self._data)
        except (OperatorNeeded, FileNotFoundError):
            return 0
        connected = status["nodes"]["connected"]
        return max((node["stored_seq"] for node in connected if node["device_key"] == device_key), default=0)


def _is_listening(port: int) -> bool:
    """Whether somebody listens. Asked of the kernel: knocking would count as a stranger."""
    wanted = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state = line.split()[:4]
        if local.endswith(wanted) and state == "0A":
            return True
    return False
