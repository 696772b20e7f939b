from pathlib import Path

import pytest

from hub.system import vcgencmd_io
from hub.system.vcgencmd_io import Vcgencmd


def command(folder: Path, script: str) -> str:
    path = folder / "vcgencmd"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "celsius"),
    [
        ("""[ "$1" = measure_temp ] && echo "temp=48.3'C" """, 48.3),
        ("echo VCHI initialization failed; exit 255", None),
        ("head -c 300 /dev/urandom", None),
    ],
)
async def test_takes_the_answer_of_the_command(tmp_path: Path, script: str, celsius: float | None) -> None:
    assert await Vcgencmd(command(tmp_path, script)).temperature_c() == celsius


async def test_a_machine_without_the_command_has_no_answer(tmp_path: Path) -> None:
    assert await Vcgencmd(str(tmp_path / "none")).temperature_c() is None


def is_running(process_file: Path) -> bool:
    return Path(f"/proc/{process_file.read_text().strip()}").exists()


async def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcgencmd_io, "ANSWERS_WITHIN_S", 0.2)
    process_file = tmp_path / "process"
    script = f"echo $$ > {process_file}; exec sleep 60"
    assert await Vcgencmd(command(tmp_path, script)).temperature_c() is None
    assert not is_running(process_file)
