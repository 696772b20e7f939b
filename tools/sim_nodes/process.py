"""A simulated node: its flash, its process, and the power it runs on."""

import asyncio
import contextlib
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.node.trial import ResetCause
from hub.errors import OperatorNeeded
from tools import child, micropython

ROM = Path(__file__).with_name("board") / "rom.py"
BLOCK_BYTES = 4096
BLOCKS = 256  # a megabyte, between a Pico W and an ESP32 with 4 MB
WATCHDOG_S = 8.0
CUT_S = 3.0  # a node writes to its flash more often than that, or the power goes between two writes
ANSWER_S = 10.0
INSTALL_S = 60.0
RESTART_S = 0.3

Log = Callable[[str], None]


class NodeProcess:
    """One node. folder: where its image lies, kept between lives. log: takes what the node says.

    restarts: resets and bites of the watchdog since it was made. sleeps: how often it slept and woke.
    advertised: what it sent by Bluetooth.
    """

    def __init__(self, device_key: str, folder: Path, log: Log, *, heap: str | None = None) -> None:
        self.device_key = device_key
        self.restarts = 0
        self.sleeps = 0
        self.advertised: list[bytes] = []
        self._image = folder / f"{device_key}.flash"
        self._log = log
        self._options = ["-X", f"heapsize={heap}"] if heap else []
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._is_on = False
        self._off = asyncio.Event()
        self._changed = asyncio.Event()
        self._answers: asyncio.Queue[str] = asyncio.Queue()

    async def install(self, files: dict[str, bytes], node: bytes) -> None:
        """Give it a flash with these files and node.json, as `penstock flash` does with a real one."""
        folder = self._image.with_suffix(".files")
        await asyncio.to_thread(_lay_out, folder, {**files, "node.json": node})
        self._image.write_bytes(b"\xff" * (BLOCKS * BLOCK_BYTES))
        process = await asyncio.create_subprocess_exec(
            *micropython.command(), str(ROM), "install", str(self._image), str(BLOCKS), str(folder)
        )
        await _output(process)
        await asyncio.to_thread(shutil.rmtree, folder)
        if process.returncode:
            raise RuntimeError(f"{self._image} could not be made")

    async def power_on(self, cause: int = ResetCause.POWER) -> None:
        """Start it."""
        self._is_on = True
        self._off.clear()
        self._image.with_name(f"{self._image.name}.rtc").write_bytes(b"")
        await self._start(cause)
        self._life = asyncio.create_task(self._live())

    async def power_off(self) -> None:
        """Take its power, between two writes most likely."""
        self._is_on = False
        self._off.set()
        self._kill()
        if self._life is not None:
            await self._life
            self._life = None

    async def cut_power(self) -> None:
        """Take its power in the middle of the next write to its flash."""
        self.say("cut")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._said("cut"), CUT_S)
        await self.power_off()

    def say(self, command: str) -> None:
        """Tell the board something; see board/rom.py."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(f"{command}\n".encode())

    async def numbers(self) -> tuple[int, int, int]:
        """Return epoch, how many rows it numbered, and how many of them are acknowledged. Without power."""
        process = await asyncio.create_subprocess_exec(
            *micropython.command(), str(ROM), "numbers", str(self._image), str(BLOCKS),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        epoch, numbered, acknowledged = (await _output(process)).split()
        return int(epoch), int(numbered), int(acknowledged)

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Return once what it did made the condition true. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def memory(self) -> tuple[int, int, int]:
        """Return bytes in use after a collection, bytes free, and what the stand-ins use of the former.

        Raises OperatorNeeded when it does not answer.
        """
        self.say("memory")
        try:
            answer = await asyncio.wait_for(self._said("memory"), ANSWER_S)
        except TimeoutError:
            hint = f"has it power? on {self.device_key} starts it"
            raise OperatorNeeded("no answer", where=f"node {self.device_key}", hint=hint) from None
        used, free, own = answer.split()[1:]
        return int(used), int(free), int(own)

    @property
    def pid(self) -> int | None:
        """The process, None without power."""
        return self._process.pid if self._process is not None else None

    async def _said(self, word: str) -> str:
        while not (answer := await self._answers.get()).startswith(word):
            pass
        return answer

    async def _start(self, cause: int) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *micropython.command(), *self._options,
            str(ROM), "run", str(self._image), str(BLOCKS), str(cause),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        if not self._is_on:  # switched off meanwhile
            self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            child.send(self._process, signal.SIGKILL)

    async def _live(self) -> None:
        """Start it again whenever it resets or is not fed, until there is no power any more."""
        while self._process is not None:
            sleep_s = await self._watch(self._process)
            self._kill()
            await self._process.wait()
            self._process = None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._off.wait(), sleep_s or RESTART_S)
            if not self._is_on:
                return
            if sleep_s:
                self.sleeps += 1
                self._changed.set()
                await self._start(ResetCause.SLEEP)
            else:
                self.restarts += 1
                await self._start(ResetCause.WATCHDOG)  # what a reset is to an rp2, and a bite to every board

    async def _watch(self, process: asyncio.subprocess.Process) -> float:
        """Pass on what it says, until it ends, resets or is not fed; return how long it wants to sleep."""
        assert process.stdout is not None
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), WATCHDOG_S)
            except TimeoutError:
                self._log("the watchdog bites")
                return 0
            text = line.decode(errors="replace").rstrip()
            if not line or text == "!reset":
                return 0
            if text.startswith("!sleep "):
                return int(text.split()[1]) / 1000
            if text.startswith("!"):
                self._hear(text[1:])
            else:
                self._log(text)

    def _hear(self, text: str) -> None:
        if text.startswith("air "):
            self.advertised.append(bytes.fromhex(text.split()[1]))
            self._changed.set()
        elif text != "fed":
            self._answers.put_nowait(text)


def node_file(
    device_key: str, generation: int, key: bytes, hubs: tuple[str, ...], plan: dict[str, Any]
) -> bytes:
    """Return the node.json of a simulated node; see firmware/node/identity.py."""
    said = {
        "device_key": device_key,
        "generation": generation,
        "key": key.hex(),
        "hubs": list(hubs),
        "wifi": {"ssid": "simulated", "password": "air"},
        "plan": plan,
    }
    return json.dumps(said).encode()


async def _output(process: asyncio.subprocess.Process) -> str:
    """Return what it says until it ends, INSTALL_S from now at the latest."""
    try:
        said, _ = await asyncio.wait_for(process.communicate(), INSTALL_S)
    finally:
        child.send(process, signal.SIGKILL)
    return (said or b"").decode()


def _lay_out(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (folder / "paths").write_text("".join(f"{path}\n" for path in files))
