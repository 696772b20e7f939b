"""Releases over the air to nodes of the real MicroPython, from a real hub process: good ones and bad ones."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.nodes.release_io import UPDATE_FOLDER
from hub.nodes.rollout_io import ORDER_FILE, RolloutFiles
from hub.nodes.rollout_record import Order
from shared_schema.digest import node_key
from tests.end_to_end.fleet import (
    CRASHES,
    DEADLINE_S,
    KEYS,
    NEW,
    NEW_COUNTER,
    OLD,
    OLD_COUNTER,
    SAYS_NOTHING,
    Fleet,
    fleet_at,
    sources,
    write_release,
)
from tests.hub.nodes.node import SITE_KEY
from tests.hub.nodes.site import approve, link_at
from tools.command.__main__ import main
from tools.firmware import release
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess, node_file


@pytest.fixture(scope="session")
def good_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sources(tmp_path_factory.mktemp("good") / "sources")


@pytest.fixture(scope="session")
def flash_files(good_sources: Path, micropython: list[str]) -> dict[str, bytes]:
    return release.bare_board(release.build(OLD, OLD_COUNTER, sources=good_sources), sources=good_sources)


@pytest.fixture(scope="session")
def good(good_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = release.build(NEW, NEW_COUNTER, sources=good_sources)
    return write_release(tmp_path_factory.mktemp("release") / "good", made)


@pytest.fixture
async def fleet(flash_files: dict[str, bytes], tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet_at(tmp_path, flash_files) as fleet:
        yield fleet


def bad_release(tmp_path: Path, main_py: str) -> Path:
    folder = sources(tmp_path / "bad-sources", main_py)
    return write_release(tmp_path / "bad", release.build(NEW, NEW_COUNTER, sources=folder))


async def test_comes_to_one_node_first_and_then_to_all_without_a_reading_lost(
    fleet: Fleet, good: Path
) -> None:
    update = await fleet.order(good, "--first", "node-2")
    await fleet.until(lambda: fleet.states()["node-2"] == "trial")
    assert fleet.states() == {"node-1": "waiting", "node-2": "trial", "node-3": "waiting"}

    assert await update == 0
    assert fleet.states() == dict.fromkeys(KEYS, "confirmed")
    assert fleet.versions() == dict.fromkeys(KEYS, NEW)
    await fleet.assert_gapless()


async def test_a_release_that_crashes_at_import_comes_to_one_node_and_no_further(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update = await fleet.order(bad_release(tmp_path, CRASHES), "--first", "node-2")

    assert await update == 1
    assert "stopped; node-2 rolled back" in capsys.readouterr().out
    assert fleet.states() == {"node-1": "waiting", "node-2": "rolled back", "node-3": "waiting"}
    assert "node-2 rolled back" in fleet.events()["node_update"]
    assert fleet.versions() == dict.fromkeys(KEYS, OLD)
    assert [fleet.nodes[key].restarts for key in KEYS] == [0, 4, 0]
    await fleet.assert_gapless()


@pytest.mark.soak
async def test_a_release_that_says_nothing_is_rolled_back_and_goes_no_further(
    fleet: Fleet, tmp_path: Path
) -> None:
    update = await fleet.order(bad_release(tmp_path, SAYS_NOTHING))

    assert await update == 1
    assert sorted(fleet.states().values()) == ["rolled back", "waiting", "waiting"]
    await fleet.until(lambda: fleet.versions() == dict.fromkeys(KEYS, OLD))
    await fleet.assert_gapless()


@pytest.mark.soak
async def test_a_hub_that_is_killed_again_and_again_brings_the_update_to_its_end(
    fleet: Fleet, good: Path
) -> None:
    update = await fleet.order(good)
    for _ in range(2):
        await fleet.until(lambda: any(10 <= fleet.percent(key) < 90 for key in KEYS))
        fleet.hub.kill()
        await fleet.hub.start()
    await fleet.until(lambda: "trial" in fleet.states().values())
    fleet.hub.kill()
    await fleet.hub.start()

    assert (await fleet.until_over())["status"] == "finished"
    assert await update == 0
    assert fleet.versions() == dict.fromkeys(KEYS, NEW)
    await fleet.assert_gapless()


@pytest.mark.soak
async def test_a_node_whose_power_is_cut_while_it_fetches_goes_on_where_its_flash_ends(
    fleet: Fleet, good: Path
) -> None:
    update = await fleet.order(good, "--nodes", "node-2")
    await fleet.until(lambda: fleet.percent("node-2") >= 40)
    await fleet.nodes["node-2"].cut_power()
    had = fleet.percent("node-2")
    await fleet.nodes["node-2"].power_on()
    lowest = 100

    def is_further() -> bool:
        nonlocal lowest
        if (fleet.update() or {})["nodes"][0]["state"] == "fetching" and "node-2" in fleet.versions():
            lowest = min(lowest, fleet.percent("node-2"))
        return fleet.states()["node-2"] in {"trial", "confirmed"}

    await fleet.until(is_further)
    assert had - 10 <= lowest, "it began from the start"
    assert await update == 0
    await fleet.assert_gapless()


@pytest.mark.soak
async def test_an_older_release_is_refused_unless_somebody_allows_it(
    fleet: Fleet, good_sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = release.build("0.9.0", OLD_COUNTER - 1, sources=good_sources)
    older = write_release(tmp_path / "older", made)
    assert await (await fleet.order(older, "--nodes", "node-1")) == 1
    assert "node-1 refused: 0.9.0 is older than what runs" in capsys.readouterr().out

    assert await fleet.command(str(older)) == 1
    assert "penstock node update --abort" in capsys.readouterr().err
    assert await fleet.command("--abort") == 3
    assert await fleet.command(str(older), "--nodes", "node-1", "--wait-s", "1", "--allow-older") == 0
    assert fleet.versions()["node-1"] == "0.9.0"
    await fleet.assert_gapless()


@pytest.mark.soak
async def test_is_paused_and_goes_on_where_it_was(fleet: Fleet, good: Path) -> None:
    update = await fleet.order(good, "--nodes", "node-1")
    await fleet.until(lambda: fleet.percent("node-1") >= 20)
    assert await fleet.command("--pause") == 3
    had = fleet.percent("node-1")
    assert await update == 3
    await fleet.assert_gapless()
    assert fleet.percent("node-1") == had

    assert await fleet.command("--resume") == 0
    assert (await fleet.until_over())["status"] == "finished"
    assert await fleet.command("--status") == 0


async def test_a_truncated_pack_is_refused_before_any_node_hears_of_it(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approve(tmp_path, *KEYS)
    broken = shutil.copytree(good, tmp_path / "broken")
    pack = broken / "application.pack"
    pack.write_bytes(pack.read_bytes()[:-100])

    assert main(["node", "update", str(broken), "--site", str(tmp_path)]) == 1
    assert "is damaged: application.pack has" in capsys.readouterr().err
    assert not (tmp_path / ORDER_FILE).exists()


@pytest.mark.soak
async def test_a_node_refuses_what_another_key_signed_and_says_so(
    flash_files: dict[str, bytes], good: Path, tmp_path: Path
) -> None:
    RolloutFiles(tmp_path).put_order(Order("1", "good", NEW, ("node-1",)))
    shutil.copytree(good, tmp_path / UPDATE_FOLDER / "good")
    async with link_at(tmp_path) as link:
        link.nodes._updates._site_key = bytes(32)
        node = NodeProcess("node-1", tmp_path, print)
        key = node_key(SITE_KEY, "node-1", 1)
        await node.install(
            flash_files, node_file("node-1", 1, key, (f"127.0.0.1:{link.port}",), plan_of("deep"))
        )
        await node.power_on()
        try:
            async with asyncio.timeout(DEADLINE_S):
                while "node_update" not in link.events.codes():  # noqa: ASYNC110 - a list of a fake
                    await asyncio.sleep(0.1)
        finally:
            await node.power_off()
    assert "node-1 refused: manifest not signed with the key of this node" in str(link.events.raised)
