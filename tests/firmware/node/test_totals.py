"""What a counter has counted outlives its node."""

from pathlib import Path

import pytest

from firmware.node.totals import KEEP_EVERY_MS, KEEP_LEAST_MS, NAME, Totals


def test_what_was_kept_is_there_after_the_restart(tmp_path: Path) -> None:
    totals = Totals(f"{tmp_path}/")
    assert totals.pulses == {}
    totals.pulses["flow.0"] = 1234
    totals.keep()
    assert Totals(f"{tmp_path}/").pulses == {"flow.0": 1234}


def test_it_is_written_now_and_then_and_only_when_it_has_changed(tmp_path: Path) -> None:
    totals = Totals(f"{tmp_path}/")
    totals.pulses["flow.0"] = 1
    totals.keep_up(KEEP_EVERY_MS - 1)
    assert not (tmp_path / NAME).exists()
    totals.keep_up(KEEP_EVERY_MS)
    (tmp_path / NAME).unlink()
    totals.keep_up(2 * KEEP_EVERY_MS)
    assert not (tmp_path / NAME).exists()


def test_it_is_written_before_rows_but_not_too_often(tmp_path: Path) -> None:
    totals = Totals(f"{tmp_path}/")
    totals.pulses["flow.0"] = 1
    totals.keep_up(KEEP_LEAST_MS - 1, is_row_due=True)
    assert not (tmp_path / NAME).exists()
    totals.keep_up(KEEP_LEAST_MS, is_row_due=True)
    assert Totals(f"{tmp_path}/").pulses == {"flow.0": 1}
    totals.pulses["flow.0"] = 2
    totals.keep_up(KEEP_LEAST_MS + KEEP_EVERY_MS - 1)
    assert Totals(f"{tmp_path}/").pulses == {"flow.0": 1}
    totals.keep_up(KEEP_LEAST_MS + KEEP_EVERY_MS)
    assert Totals(f"{tmp_path}/").pulses == {"flow.0": 2}


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_file_begins_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content, encoding="utf-8")
    assert Totals(f"{tmp_path}/").pulses == {}
