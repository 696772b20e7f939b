"""A release is what the sources say, small enough, and nothing a node would refuse."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from firmware.node import manifest, slots
from firmware.pack import Pack
from hub.errors import OperatorNeeded
from shared_schema.digest import Hmac, node_key
from tools.firmware.release import ReleaseFile, assemble, bare_board, build

SOURCES = {
    "firmware/__init__.py": '"""Nothing but this."""\n',
    "firmware/boot.py": "SLOT = 1\n",
    "firmware/main.py": "def run(start):\n    from firmware.node import spare\n",
    "firmware/pack.py": "PACK = 1\n",
    "firmware/node/slots.py": "A = 1\n",
    "firmware/node/trial.py": "B = 1\n",
    "firmware/node/spare.py": "from firmware.node.trial import B\n\nprint(B)\n",
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


def test_a_release_is_one_pack_and_says_so(sources: Path, tmp_path: Path) -> None:
    made = build("1.5.0", 15, sources=sources)
    [file] = made.files
    (tmp_path / file.path).write_bytes(file.content)
    packed = Pack(str(tmp_path / file.path))
    for path in ("firmware/main.mpy", "firmware/node/spare.mpy"):
        assert packed.stat(f"/{path}")[0] == 0x8000
    for path in ("firmware/boot.mpy", "firmware/__init__.mpy", "shared_schema/enums.mpy"):
        with pytest.raises(FileNotFoundError):
            packed.stat(f"/{path}")
    packed.umount()
    assert json.loads(made.manifest) == {
        "version": "1.5.0",
        "counter": 15,
        "min_micropython": "1.25",
        "board": "any",
        "files": [["application.pack", len(file.content), hashlib.sha256(file.content).hexdigest()]],
    }


def test_the_same_sources_make_the_same_release_anywhere(tmp_path: Path) -> None:
    first = build("1.5.0", 15, sources=written(tmp_path / "here"))
    assert build("1.5.0", 15, sources=written(tmp_path / "elsewhere")) == first
    assert b"firmware/main.mpy 0 " in first.files[0].content


def test_each_node_has_its_own_signature_and_a_node_takes_it(sources: Path) -> None:
    made = build("1.5.0", 15, sources=sources)
    keys = [node_key(bytes(32), name, 1) for name in ("tank-1", "tank-2")]
    read = manifest.parse(made.manifest, made.mac(keys[0]), Hmac(keys[0]))
    assert [file.path for file in read.files] == [file.path for file in made.files]
    with pytest.raises(manifest.Refused):
        manifest.parse(made.manifest, made.mac(keys[1]), Hmac(keys[0]))


def test_what_no_node_would_take_is_not_made(sources: Path) -> None:
    with pytest.raises(OperatorNeeded, match="counter from 1"):
        build("1.5.0", 0, sources=sources)
    with pytest.raises(OperatorNeeded, match="version of 1 to 32 marks"):
        build("Version 1.5", 15, sources=sources)
    with pytest.raises(OperatorNeeded, match="1 to 8 files expected"):
        assemble("1.5.0", 15, [ReleaseFile(f"m{number}.py", b"x") for number in range(9)])


def test_a_module_that_is_no_python_is_named(sources: Path) -> None:
    (sources / "firmware/main.py").write_text("def run(start:\n")
    with pytest.raises(OperatorNeeded, match=r"firmware/main\.py: no Python: "):
        build("1.5.0", 15, sources=sources)


def test_a_bare_board_gets_the_boot_part_a_slot_and_a_record(sources: Path) -> None:
    made = build("1.5.0", 15, sources=sources)
    files = bare_board(made, sources=sources)
    assert list(files)[-1] == "main.py"
    assert {
        "firmware/boot.mpy",
        "firmware/pack.mpy",
        "firmware/node/slots.mpy",
        "firmware/node/trial.mpy",
    } <= set(files)
    assert "boot.py" not in files
    assert files["slots/a/manifest.json"] == made.manifest
    decoded = slots.decode(files["slot.0"])
    assert decoded is not None
    assert (decoded[1].active, decoded[1].version, decoded[1].counter) == ("a", "1.5.0", 15)


def test_the_firmware_as_it_is_makes_a_release() -> None:
    [file] = build("1.5.0", 15).files
    assert b"\nfirmware/node/update.mpy " in file.content
    assert b"\nfirmware/main_1.mpy " in file.content
    assert b"\nfirmware/boot.mpy " not in file.content


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
