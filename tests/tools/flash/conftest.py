"""Boards on pseudo-terminals, firmware that says its name, and a site."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tools.command.__main__ import main
from tools.sim_board.board import SimulatedBoard

ROOT = Path(__file__).resolve().parents[3]
APPLICATION = """
import time

def run(start):
    print("application {name} runs in slot", start.slot)
    while True:
        start.feed()
        time.sleep_ms(20)
"""

Boards = Callable[..., SimulatedBoard]
Penstock = Callable[..., int]


@pytest.fixture
def boards(tmp_path: Path, micropython: list[str]) -> Iterator[Boards]:
    """Return what plugs in a board: boards(name, blocks=…, version=…)."""
    with ExitStack() as stack:

        def plug(name: str = "one", **how: object) -> SimulatedBoard:
            return stack.enter_context(SimulatedBoard(tmp_path / f"{name}.flash", **how))  # type: ignore[arg-type]

        yield plug


@pytest.fixture
def firmware(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes sources whose application says its name; padding_bytes makes them larger."""

    def make(name: str, padding_bytes: int = 0) -> Path:
        folder = tmp_path / f"firmware-{name}"
        for package in ("firmware", "shared_schema"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "firmware" / "main.py").write_text(APPLICATION.format(name=name))
        if padding_bytes:
            text = "".join(chr(65 + (i * i) % 23) for i in range(padding_bytes))
            (folder / "firmware" / "drivers" / "padding.py").write_text(f"TEXT = {text!r}\n")
        boot = folder / "firmware" / "boot.py"
        boot.write_text(boot.read_text().replace("MAINTENANCE_MS = 3000", "MAINTENANCE_MS = 400"))
        return folder

    return make


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the data folder of a hub that does not run, with the nodes tank-1 and tank-2."""
    folder = tmp_path / "site"
    folder.mkdir()
    for key in ("tank-1", "tank-2"):
        assert main(["node", "new", key, "--site", str(folder)]) == 0
    return folder
