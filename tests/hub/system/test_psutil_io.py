from pathlib import Path

import pytest

from hub.system.psutil_io import PsutilProbe


def test_asks_this_machine(tmp_path: Path) -> None:
    probe = PsutilProbe(tmp_path)
    first, second = probe.load(), probe.load()
    assert first.cpu_percent is None
    assert second.cpu_percent is not None
    assert 0 <= second.cpu_percent <= 100
    assert second.ram_percent is not None
    assert 0 < second.ram_percent <= 100
    assert second.storage_percent is not None
    assert 0 <= second.storage_percent <= 100


def test_what_the_machine_does_not_tell_is_none_and_the_rest_is_told(tmp_path: Path) -> None:
    load = PsutilProbe(tmp_path / "gone").load()
    assert load.storage_percent is None
    assert load.ram_percent is not None


def test_a_system_without_sensors_has_no_temperature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("psutil.sensors_temperatures", raising=False)
    assert PsutilProbe(tmp_path).temperature_c() is None
