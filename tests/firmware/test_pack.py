"""What goes into a pack comes out of it, and nothing else."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.pack import Pack, pack

names = st.text("abcz_0", min_size=1, max_size=4)
paths = st.builds(
    lambda folders, name: "/".join([*folders, name + ".mpy"]), st.lists(names, max_size=3), names
)


def content_of(packed: Pack, path: str) -> bytes:
    """Read a module as MicroPython's importer does, in pieces."""
    module, buffer, content = packed.open(f"/{path}", "rb"), bytearray(7), b""
    while count := module.readinto(buffer):
        content += buffer[:count]
    return content


@given(st.dictionaries(paths, st.binary(max_size=60), max_size=8), paths)
def test_a_pack_is_the_files_that_went_in(modules: dict[str, bytes], other: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "x.pack")
        place.write_bytes(pack(list(modules.items())))
        packed = Pack(str(place))
        for path, content in modules.items():
            assert content_of(packed, path) == content
            assert packed.stat(path)[:7] == (0x8000, 0, 0, 0, 0, 0, len(content))
            for parent in list(Path(path).parents)[:-1]:
                assert packed.stat(f"/{parent}")[0] == 0x4000
        if other not in modules:
            with pytest.raises(FileNotFoundError):
                packed.open(other, "rb")
            with pytest.raises(FileNotFoundError):
                packed.stat(other)
        packed.umount()


def test_without_a_file_there_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Pack(f"{tmp_path}/x.pack")
