"""Which MicroPython is taken, with planted interpreters on PATH."""

import subprocess
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from tools.micropython import command, main


def plant(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / "micropython"
    program.write_text(f'#!/bin/sh\necho "MicroPython v{version} on 2025-05-04; linux version"\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["1.25.0", "1.26.1", "2.0.0"])
def test_takes_the_machines_own_when_it_is_new_enough(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = plant(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert command(tmp_path / "cache") == [str(program)]


@pytest.mark.parametrize("version", ["1.24.1", "1.9.4", "preview"])
def test_passes_over_an_old_one_and_says_what_to_do(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(OperatorNeeded, match=r"apt-get and dpkg-deb not found.*1\.25 or newer on PATH"):
        command(tmp_path / "cache")


def test_a_damaged_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "cache" / "root").mkdir(parents=True)
    with pytest.raises(OperatorNeeded, match=f"{tmp_path}/cache/root: .*does not start"):
        command(tmp_path / "cache")


def test_runs_what_it_is_given(micropython: list[str], tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("import sys\nprint(sys.implementation.name)\nsys.exit(3)\n")
    answer = subprocess.run(
        [*micropython, str(tmp_path / "hello.py")], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (3, "micropython\n")


def test_says_that_it_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable() -> list[str]:
        raise OperatorNeeded("apt has no Debian archive", hint="put it on PATH")

    monkeypatch.setattr("tools.micropython.command", unavailable)
    assert main([]) == 1
    assert capsys.readouterr().err == "penstock: error: apt has no Debian archive (put it on PATH)\n"
