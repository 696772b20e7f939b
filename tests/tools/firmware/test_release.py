"""A release is what the sources say, small enough, and nothing a node would refuse."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from firmware.node import manifest, slots
from hub.errors import OperatorNeeded
from shared_schema.digest import Hmac, node_key
from tools.firmware.release import ReleaseFile, bare_board, build, pack

SOURCES = {
    "firmware/__init__.py": '"""Nothing but this."""\n',
    "firmware/boot.py": "SLOT = 1\n",
    "firmware/main.py": "def run(start):\n    pass\n",
    "firmware/node/slots.py": "A = 1\n",
    "firmware/node/trial.py": "B = 1\n",
    "shared_schema/__init__.py": '"""Nothing but this."""\n',
    "shared_schema/enums.py": "C = 1\n",
}


def written(folder: Path) -> Path:
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return written(tmp_path)


def test_a_release_is_every_module_of_a_slot_and_says_so(sources: Path) -> None:
    made = build("1.5.0", 15, sources=sources, is_compiled=False)
    paths = ["firmware/main.py", "firmware/node/slots.py", "firmware/node/trial.py", "shared_schema/enums.py"]
    contents = [SOURCES[path].encode() for path in paths]
    listing, *files = made.files
    assert files == [ReleaseFile(path, content) for path, content in zip(paths, contents, strict=True)]
    assert listing.path == "contents"
    assert listing.content.decode().splitlines() == [
        f"{hashlib.sha256(file.content).hexdigest()} {len(file.content)} {file.path}" for file in files
    ]
    assert json.loads(made.manifest) == {
        "version": "1.5.0",
        "counter": 15,
        "min_micropython": "1.25",
        "board": "any",
        "contents": [len(listing.content), hashlib.sha256(listing.content).hexdigest()],
    }


def test_the_same_sources_make_the_same_release_anywhere(tmp_path: Path) -> None:
    first = build("1.5.0", 15, sources=written(tmp_path / "here"))
    assert build("1.5.0", 15, sources=written(tmp_path / "elsewhere")) == first
    modules = first.files[1:]
    assert all(file.path.endswith(".mpy") and file.content.startswith(b"M\x06") for file in modules)


def test_each_node_has_its_own_signature_and_a_node_takes_it(sources: Path) -> None:
    made = build("1.5.0", 15, sources=sources)
    keys = [node_key(bytes(32), name, 1) for name in ("tank-1", "tank-2")]
    read = manifest.parse(made.manifest, made.mac(keys[0]), Hmac(keys[0]))
    assert read.contents.digest == hashlib.sha256(made.files[0].content).digest()
    with pytest.raises(manifest.Refused):
        manifest.parse(made.manifest, made.mac(keys[1]), Hmac(keys[0]))


def test_what_no_node_would_take_is_not_made(sources: Path) -> None:
    with pytest.raises(OperatorNeeded, match="counter from 1"):
        build("1.5.0", 0, sources=sources)
    with pytest.raises(OperatorNeeded, match="version of 1 to 32 marks"):
        build("Version 1.5", 15, sources=sources)
    with pytest.raises(OperatorNeeded, match="contents of 1 to 120 whole lines"):
        pack("1.5.0", 15, [ReleaseFile(f"firmware/node/m{number}.py", b"x") for number in range(121)])


def test_a_module_that_is_no_python_is_named(sources: Path) -> None:
    (sources / "firmware/main.py").write_text("def run(start:\n")
    with pytest.raises(OperatorNeeded, match=r"firmware/main\.py: no MicroPython: SyntaxError"):
        build("1.5.0", 15, sources=sources)


def test_a_bare_board_gets_the_boot_part_a_slot_and_a_record(sources: Path) -> None:
    made = build("1.5.0", 15, sources=sources)
    files = bare_board(made, sources=sources)
    assert list(files)[-1] == "main.py"
    assert {"firmware/boot.mpy", "firmware/node/slots.mpy", "firmware/node/trial.mpy"} <= set(files)
    assert "boot.py" not in files
    assert files["slots/a/manifest.json"] == made.manifest
    decoded = slots.decode(files["slot.0"])
    assert decoded is not None
    assert (decoded[1].active, decoded[1].version, decoded[1].counter) == ("a", "1.5.0", 15)


def test_the_firmware_as_it_is_makes_a_release() -> None:
    paths = {file.path for file in build("1.5.0", 15).files}
    assert {"firmware/node/update.mpy", "shared_schema/update_messages.mpy"} <= paths
    assert "firmware/boot.mpy" not in paths


def test_main_finds_the_boot_part_without_any_slot(tmp_path: Path, micropython: list[str]) -> None:
    board = bare_board(build("1.5.0", 15))
    files = {path: content for path, content in board.items() if not path.startswith("slots/")}
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    answer = subprocess.run(
        [*micropython, "main.py"],
        cwd=tmp_path,
        env={"MICROPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    # It comes as far as the hardware, which a PC does not have.
    assert "'module' object has no attribute 'reset_cause'" in answer.stderr + answer.stdout
