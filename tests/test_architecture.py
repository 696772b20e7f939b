"""The grammar of file names holds here, and the reader that says so sees every kind of violation."""

from pathlib import Path

import pytest

from tools.layering import FUNCTION_LINES, main, violations

ROOT = Path(__file__).resolve().parents[1]
LONG_FUNCTION = "def long():\n" + "    pass\n" * FUNCTION_LINES

ALLOWED = {
    "hub/outbox/chunk.py": "import orjson\nfrom hub.outbox.row import Row\nfrom shared_schema import enums\n",
    "hub/outbox/row.py": "import dataclasses\nfrom hub.errors import TryAgain\nfrom hub import ports\n",
    "hub/outbox/service.py": "import asyncio, logging\nfrom hub.outbox.chunk import Chunk\n",
    "hub/outbox/purge_service.py": "from hub.outbox.service import Outbox\n",
    "hub/outbox/sqlite_io.py": "import os\nimport aiosqlite, zstandard\nfrom hub.outbox.chunk import Chunk\n",
    "hub/app.py": "import uvloop\nfrom hub.outbox import service\nfrom hub.uplink import service\n",
    "hub/config.py": "import os\nimport pydantic\nfrom hub.outbox.row import Row\n",
    "hub/site.py": "from hub.config import Hub\nfrom hub.outbox.row import Row\n",
    "tools/sim/bus.py": "import time\nfrom hub.modbus.plan import Plan\n",
    "shared_schema/records.py": "import struct\nfrom shared_schema.metrics import Kind\n",
}
FORBIDDEN = {
    "a noun reads the clock": ("hub/outbox/chunk.py", "import time\n", "a noun imports time"),
    "a noun knows asyncio": ("hub/outbox/chunk.py", "from asyncio import Queue\n", "a noun imports asyncio"),
    "a noun opens files": ("hub/outbox/chunk.py", "from pathlib import Path\n", "a noun imports pathlib"),
    "a noun asks a server": (
        "hub/outbox/chunk.py",
        "import urllib.request\n",
        "a noun imports urllib.request",
    ),
    "a noun asks a server, said otherwise": (
        "hub/outbox/chunk.py",
        "from urllib import request\n",
        "a noun imports urllib.request",
    ),
    "a noun uses a driver": ("hub/outbox/chunk.py", "import aiohttp\n", "a noun imports aiohttp"),
    "a noun imports within a function": (
        "hub/outbox/chunk.py",
        "def now():\n    import time\n",
        "a noun imports time",
    ),
    "a noun asks for the date": (
        "hub/outbox/chunk.py",
        "from datetime import datetime\nNOW = datetime.now()\n",
        "a noun calls now()",
    ),
    "a noun acts": (
        "hub/outbox/chunk.py",
        "from hub.outbox.service import Outbox\n",
        "a noun imports the service",
    ),
    "a noun adapts": (
        "hub/outbox/chunk.py",
        "from hub.outbox import sqlite_io\n",
        "a noun imports the adapter",
    ),
    "a service opens a database": ("hub/outbox/service.py", "import sqlite3\n", "a service imports sqlite3"),
    "a service builds its adapter": (
        "hub/outbox/service.py",
        "from hub.outbox.sqlite_io import Store\n",
        "the service imports the adapter",
    ),
    "an adapter knows the loop": (
        "hub/outbox/sqlite_io.py",
        "from hub.outbox.service import Outbox\n",
        "the adapter imports the service",
    ),
    "an adapter has two drivers": (
        "hub/outbox/sqlite_io.py",
        "import aiosqlite\nimport serial\n",
        "one driver library, not aiosqlite, serial",
    ),
    "features meet": (
        "hub/uplink/service.py",
        "from hub.outbox.row import Row\n",
        "features meet only in app.py",
    ),
    "adapters of two features meet": (
        "hub/uplink/http_io.py",
        "from hub.outbox.sqlite_io import Store\n",
        "features meet only in app.py",
    ),
    "a root noun knows a feature": (
        "hub/clock.py",
        "from hub.outbox.row import Row\n",
        "features meet only in app.py",
    ),
    "a root service builds its adapter": (
        "hub/clock_service.py",
        "from hub.clock_io import SystemClock\n",
        "the service imports the adapter",
    ),
    "a feature reads the config": (
        "hub/uplink/http_io.py",
        "from hub.config import Hub\n",
        "features meet only in app.py",
    ),
    "a root noun reads the config": ("hub/clock.py", "from hub import config\n", "handed in by app.py"),
    "a feature knows the site": (
        "hub/uplink/rows.py",
        "from hub import site\n",
        "features meet only in app.py",
    ),
    "a feature knows the composition": (
        "hub/uplink/service.py",
        "from hub import app\n",
        "features meet only in app.py",
    ),
    "hub knows tools": ("hub/app.py", "from tools.sim.bus import Bus\n", "hub imports tools.sim.bus"),
    "tools know tests": ("tools/sim/bus.py", "from tests.fakes import Clock\n", "does not know its tests"),
    "relative import": ("hub/outbox/chunk.py", "from . import row\n", "imports are absolute"),
    "shared_schema needs CPython": (
        "shared_schema/records.py",
        "from dataclasses import dataclass\n",
        "which a board does not have",
    ),
    "shared_schema knows the hub": (
        "shared_schema/records.py",
        "import hub.errors\n",
        "which a board does not have",
    ),
    "a name that says nothing": ("hub/outbox/row_helpers.py", "", "says nothing about what is inside"),
    "code in an __init__.py": (
        "hub/outbox/__init__.py",
        '"""Rows."""\nLIMIT = 3\n',
        "one docstring and nothing else",
    ),
    "a function without end": ("tools/sim/bus.py", LONG_FUNCTION, f"long has {FUNCTION_LINES + 1} lines"),
}


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in path.relative_to(root).parents[:-1]:
            init = root / folder / "__init__.py"
            init.write_text('"""A package."""\n')
        path.write_text(content)
    return root


def test_this_repository_keeps_the_grammar() -> None:
    assert [str(violation) for violation in violations(ROOT)] == []


def test_what_the_grammar_allows_is_no_violation(tmp_path: Path) -> None:
    assert violations(plant(tmp_path, ALLOWED)) == []


@pytest.mark.parametrize("name", FORBIDDEN)
def test_sees(name: str, tmp_path: Path) -> None:
    path, content, rule = FORBIDDEN[name]
    found = violations(plant(tmp_path, {**ALLOWED, path: content}))
    assert [violation.path for violation in found] == [path], found
    assert rule in found[0].rule


def test_sees_a_package_without_init_file(tmp_path: Path) -> None:
    plant(tmp_path, ALLOWED)
    (tmp_path / "hub/outbox/__init__.py").unlink()
    assert [str(violation) for violation in violations(tmp_path)] == [
        "hub/outbox:1: a package folder has an __init__.py"
    ]


def test_command_prints_where_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {"hub/outbox/chunk.py": "\nimport time\n"})
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("hub/outbox/chunk.py:2: a noun imports time")
