"""penstock outbox, on real files, beside a running hub and without one."""

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest

from shared_schema.enums import Lane
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from tests.hub.outbox.site import Cloud, Site, flows, send_all, site_at, take_all
from tests.hub.outbox.test_outbox import commit
from tests.hub.outbox.test_trouble import until
from tools.command.__main__ import main


async def with_dead_letter(site: Site) -> None:
    await site.outbox.append(flows("tank-1", 1, 5), Lane.LIVE)
    (batch,) = await take_all(site.outbox)
    await site.outbox.settle(batch, {0, 1, 3, 4}, {2: "value out of range"})
    for _ in range(ATTEMPTS_BEFORE_DEAD_LETTER - 1):
        await asyncio.wait_for(site.outbox.wait_for_rows(), 5)
        (again,) = await take_all(site.outbox)
        await site.outbox.settle(again, (), {0: "value out of range"})
    await commit(site)


async def penstock(*words: str | Path) -> int:
    return await asyncio.to_thread(main, [str(word) for word in words])


async def test_status_says_what_is_stored_while_the_hub_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 1234), Lane.LIVE)
        assert await penstock("outbox", "status", "--data-dir", tmp_path) == 0
    said = capsys.readouterr().out
    assert "1,234 rows (1,234 flow)" in said
    assert "2027-01-15" in said
    assert "lost ever     nothing" in said


async def test_status_needs_attention_when_there_are_dead_letters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await with_dead_letter(site)
    assert await penstock("outbox", "status", "--data-dir", tmp_path, "--json") == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["dead_letters"], said["appended"], said["settled"]) == (1, 6, 4)


async def test_lists_the_reason_of_a_refused_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await with_dead_letter(site)
        assert await penstock("outbox", "dead-letter", "list", "--data-dir", tmp_path) == 3
    said = capsys.readouterr().out
    assert "tank-1 flow #3" in said
    assert "value out of range" in said


async def test_retry_has_the_running_hub_send_it_again(tmp_path: Path) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await with_dead_letter(site)
        assert await penstock("outbox", "dead-letter", "retry", "--data-dir", tmp_path, "1") == 0
        site.outbox._last_look_s = 0.0
        site.outbox._wake.set()
        await until(lambda: site.outbox.state().dead_letters == 0)
        batches = await take_all(site.outbox)
    assert [list(batch.seqs) for batch in batches if batch.kind == "flow"] == [[3]]


async def test_purge_writes_the_ledger_when_the_hub_starts(tmp_path: Path) -> None:
    cloud = Cloud()
    async with site_at(tmp_path / "outbox.db") as site:
        await with_dead_letter(site)
    assert await penstock("outbox", "dead-letter", "purge", "--data-dir", tmp_path, "--all") == 0
    async with site_at(tmp_path / "outbox.db") as site:
        await until(lambda: site.outbox.state().losses)
        await send_all(site.outbox, cloud)
        assert site.outbox.state().dead_letters == 0
    (loss,) = cloud.losses()
    assert (loss["lost_device_id"], loss["first_seq"], loss["last_seq"], loss["cause"]) == (
        "tank-1",
        3,
        3,
        "rejected",
    )


async def test_exports_what_was_not_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with site_at(tmp_path / "outbox.db") as site:
        await site.outbox.append(flows("tank-1", 1, 10), Lane.LIVE)
        batch = await site.outbox.take(4, Lane.LIVE)
        assert batch is not None
        await site.outbox.settle(batch, range(4), {})
    assert await penstock("outbox", "export", "--data-dir", tmp_path) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["seq"] for row in rows] == [5, 6, 7, 8, 9, 10]
    assert rows[0]["flow_rate_lpm"] == 5.0
    assert await penstock("outbox", "export", "--data-dir", tmp_path, "--format", "csv") == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["flow_rate_lpm"] for row in table] == ["5.0", "6.0", "7.0", "8.0", "9.0", "10.0"]


async def test_bad_input_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await penstock("outbox", "status", "--data-dir", tmp_path) == 1
    (tmp_path / "outbox.db").write_bytes(b"\x00garbage" * 100)
    assert await penstock("outbox", "status", "--data-dir", tmp_path) == 1
    assert await penstock("outbox", "export", "--data-dir", tmp_path) == 1
    said = capsys.readouterr().err
    assert "there is no outbox" in said
    assert said.count("cannot be read") == 2


async def test_an_outbox_of_another_user_is_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outbox.db").mkdir()  # what even root may not open
    assert await penstock("outbox", "status", "--data-dir", tmp_path) == 1
    said = capsys.readouterr().err
    assert "cannot be read: Is a directory" in said
    assert "as the user the hub runs as" in said
    assert "damaged" not in said
