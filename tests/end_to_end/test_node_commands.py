"""penstock node command, from the words to what a node of the real MicroPython does, through a real hub."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from firmware.node.loop import RESTART_AFTER_MS
from hub.nodes.commands import OPEN, WAITING, CommandList
from hub.nodes.commands_io import CommandsFile
from hub.status_io import read_status
from shared_schema.digest import node_key
from tests.hub.nodes.hub_process import HubProcess
from tests.hub.nodes.node import SITE_KEY
from tests.hub.nodes.site import approve
from tools.command.__main__ import main
from tools.firmware import release
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess, node_file

KEY = "well-1"
DEADLINE_S = 60.0
BATTERY = {"power": "battery", "battery": {"dial_s": 6, "listen_ms": 500}}


@pytest.fixture(scope="session")
def flash_files(micropython: list[str]) -> dict[str, bytes]:
    return release.bare_board(release.build("1.0.0", 1))


@dataclass
class Site:
    """A hub and its node. tell: runs the command line, returns its exit code."""

    hub: HubProcess
    node: NodeProcess

    async def tell(self, *words: str) -> int:
        site = str(self.hub.folder / "site.toml")
        return await asyncio.to_thread(main, ["node", "command", KEY, *words, "--site", site])

    async def configure(self, plan: dict[str, Any], *words: str) -> int:
        path = self.hub.folder / "plan.json"
        path.write_text(json.dumps(plan))
        site = str(self.hub.folder / "site.toml")
        return await asyncio.to_thread(main, ["node", "configure", KEY, str(path), *words, "--site", site])

    def commands(self) -> CommandList:
        return CommandsFile(self.hub.folder).load()

    def is_connected(self) -> bool:
        return bool(read_status(self.hub.folder)["nodes"]["connected"])

    def row_times(self) -> list[int]:
        """Return the times of the node's readings, in order."""
        return sorted(
            at_ms
            for batch in self.hub.batches()
            for key, at_ms in zip(batch.device_keys, batch.recorded_at_ms, strict=True)
            if key == KEY and batch.kind == "deep"
        )


async def until(condition: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + DEADLINE_S
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < ends_s
        await asyncio.sleep(0.05)


@asynccontextmanager
async def site_at(folder: Path, files: dict[str, bytes], plan: dict[str, Any]) -> AsyncIterator[Site]:
    """A hub and a node that has brought rows."""
    hub = HubProcess(folder / "hub", "site-hub")
    approve(hub.folder, KEY)
    said: list[str] = []
    node = NodeProcess(KEY, folder, said.append)
    site = Site(hub, node)
    try:
        await hub.start()
        key = node_key(SITE_KEY, KEY, 1)
        await node.install(files, node_file(KEY, 1, key, (f"127.0.0.1:{hub.port}",), plan))
        await node.power_on()
        await until(lambda: bool(site.row_times()))
        yield site
    finally:
        print(*said, sep="\n")  # shown when a test fails
        await node.power_off()
        hub.kill()


async def test_a_node_does_what_it_is_told_and_says_so(
    flash_files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path, flash_files, plan_of("deep")) as site:
        assert await site.tell("set-interval", "kind=deep", "interval_s=3600") == 0
        assert capsys.readouterr().out == "well-1: set-interval: done; deep every 3600 s\n"

        assert await site.tell("identify") == 0  # takes a second and more, in which there is no row
        assert capsys.readouterr().out == "well-1: identify: done\n"

        ordered_ms = time.time() * 1000
        assert await site.tell("sample-now") == 0
        await until(lambda: site.row_times()[-1] >= ordered_ms - 50)
        assert site.row_times()[-1] - site.row_times()[-2] > 1500

        capsys.readouterr()
        assert await site.tell("set-interval", "kind=tank", "interval_s=5") == 1
        assert await site.tell("set-output", "name=lamp", "value=1") == 1
        assert capsys.readouterr().out == (
            "well-1: set-interval: refused; this node does not measure tank\n"
            "well-1: set-output: refused; no output lamp; there are none\n"
        )
        before = site.commands()
        assert await site.tell("set-interval", "kind=deep", "interval_s=0") == 2
        assert "interval_s=0: is not a whole number from 1 to 86400" in capsys.readouterr().err
        assert site.commands() == before

        capsys.readouterr()
        assert await site.tell("reboot") == 0
        assert capsys.readouterr().out == "well-1: reboot: done; restarting\n"
        await until(lambda: site.node.restarts == 1)


async def test_runs_on_the_configuration_it_is_given_and_keeps_it_when_the_next_is_bad(
    flash_files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path, flash_files, plan_of("deep")) as site:
        assert await site.configure(plan_of("deep", 3600)) == 0
        assert await site.configure({"kinds": {"deep": {"sensors": [{"driver": "dowsing_rod"}]}}}) == 1
        assert capsys.readouterr().out == (
            "well-1: configuration 1: applied\n"
            "well-1: configuration 2: refused; there is no driver 'dowsing_rod' in this release; "
            "it keeps configuration 1\n"
        )
        assert await site.configure({"kinds": {"well": {}}}) == 2
        assert "kinds" in capsys.readouterr().err

        await site.node.power_off()
        await until(lambda: not site.is_connected())
        assert await site.configure(plan_of("deep", 2), "--wait", "1") == 3
        assert "configuration 3: not known yet" in capsys.readouterr().out
        before = len(site.row_times())
        await site.node.power_on()
        await until(lambda: len(site.row_times()) >= before + 3)
        hub = str(site.hub.folder / "site.toml")
        assert await asyncio.to_thread(main, ["node", "configure", KEY, "--site", hub]) == 0
        said = capsys.readouterr().out
        assert json.loads(said[: said.rindex("}") + 1]) == plan_of("deep", 2)
        assert said.endswith("well-1: configuration 3: applied\n")


@pytest.mark.soak
async def test_restarts_once_although_a_hub_that_lost_the_answer_asks_again(
    flash_files: dict[str, bytes], tmp_path: Path
) -> None:
    async with site_at(tmp_path, flash_files, plan_of("deep")) as site:
        assert await site.tell("reboot") == 0
        await until(lambda: site.node.restarts == 1)
        site.hub.kill()
        (number, entry) = next(iter(site.commands().given.items()))
        asks_again = CommandList({number: replace(entry, state=WAITING, text="")})
        CommandsFile(site.hub.folder).edit(lambda _: asks_again)
        await site.hub.start()
        await until(lambda: site.commands().given[number].state not in OPEN)
        assert (site.commands().given[number].state, site.commands().given[number].text) == (
            "executed",
            "restarting",
        )
        answered_ms = time.time() * 1000
        await until(lambda: site.row_times()[-1] > answered_ms + 1000 + RESTART_AFTER_MS)
        assert site.node.restarts == 1


@pytest.mark.soak
async def test_waits_for_a_node_that_is_away_through_a_restart_of_the_hub_and_not_for_ever(
    flash_files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path, flash_files, plan_of("deep")) as site:
        await site.node.power_off()
        await until(lambda: not site.is_connected())
        told = asyncio.create_task(site.tell("identify"))
        await until(lambda: bool(site.commands().given))
        site.hub.kill()
        await site.hub.start()
        late = asyncio.create_task(site.tell("identify", "--wait", "5"))
        assert await late == 3
        await site.node.power_on()
        assert await told == 0
        said = capsys.readouterr().out.splitlines()
        assert "well-1 is not connected; it is told when it dials, for 600 s" in said
        assert "well-1: identify: expired; the node did not dial in time" in said
        assert said[-1] == "well-1: identify: done"


@pytest.mark.soak
async def test_a_node_that_sleeps_is_told_when_it_wakes_to_dial(
    flash_files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path, flash_files, {**plan_of("deep", 3), **BATTERY}) as site:
        await until(lambda: site.node.sleeps >= 1 and not site.is_connected())
        assert await site.tell("sample-now") == 0
        assert capsys.readouterr().out.splitlines()[-1] == "well-1: sample-now: done"
        # Each wake makes one row of its own, so this is never so without the one that was asked for.
        await until(lambda: len(site.row_times()) >= site.node.sleeps + 2)

        assert await site.tell("set-interval", "kind=deep", "interval_s=5") == 1
        assert "refused; it sleeps, in the rhythm of its configuration" in capsys.readouterr().out
        assert await site.tell("reboot") == 0
        await until(lambda: site.node.restarts == 1)
        sleeps = site.node.sleeps
        await until(lambda: site.node.sleeps > sleeps + 1)
        assert site.node.restarts == 1
