"""A release is whole and right before any node is offered it."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.node.manifest import Manifest as NodesManifest
from firmware.node.manifest import Refused
from firmware.node.manifest import parse as parse_as_node
from hub.errors import OperatorNeeded
from hub.nodes.release import allowing_older, read_manifest, release_of
from hub.nodes.release_io import ReleaseFolders, read_release
from shared_schema.digest import Hmac
from shared_schema.packing import LinkError
from shared_schema.update_messages import CHUNK_LENGTH, ChunkWanted
from tools.firmware.release import ReleaseFile, assemble

KEY = bytes(range(32))
FILES = {"application.pack": bytes(3000), "firmware/main.mpy": b"mpy"}


def manifest_of(**changes: object) -> bytes:
    files = [ReleaseFile(path, content) for path, content in FILES.items()]
    said = json.loads(assemble("1.5.0", 17, files).manifest) | changes
    return json.dumps(said, separators=(",", ":")).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    (folder / "firmware").mkdir(parents=True)
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
    (folder / "manifest.json").write_bytes(manifest_of())
    return folder


def test_an_offer_is_what_the_node_takes_and_another_node_does_not(folder: Path) -> None:
    offer = read_release(folder).offer(KEY)

    assert parse_as_node(offer.manifest, offer.mac, Hmac(KEY)).version == "1.5.0"
    with pytest.raises(Refused, match="not signed"):
        parse_as_node(offer.manifest, offer.mac, Hmac(bytes(32)))


def test_that_it_may_be_older_is_signed_with_the_rest(folder: Path) -> None:
    offer = read_release(folder, allows_older=True).offer(KEY)

    assert parse_as_node(offer.manifest, offer.mac, Hmac(KEY)).allows_older
    assert not NodesManifest(json.loads(manifest_of())).allows_older


def test_allowing_older_changes_nothing_else() -> None:
    before = json.loads(manifest_of())
    assert json.loads(allowing_older(read_manifest(manifest_of())).content) == before | {"allow_older": True}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "application.pack").write_bytes(bytes(2999)), "has 2999 bytes"),
        (lambda folder: (folder / "application.pack").write_bytes(bytes(3001)), "has 3001 bytes"),
        (lambda folder: (folder / "application.pack").write_bytes(b"x" * 3000), "another SHA-256"),
        (lambda folder: (folder / "application.pack").unlink(), "No such file"),
        (lambda folder: (folder / "manifest.json").unlink(), "is no release of nodes"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{"), "is damaged"),
        (lambda folder: (folder / "manifest.json").write_bytes(bytes(5000)), "are the most"),
    ],
)
def test_a_damaged_release_is_refused_with_what_is_wrong(folder: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    damage(folder)
    with pytest.raises(OperatorNeeded, match=message):
        read_release(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 3}, {"version": "../1"}, {"counter": 0}, {"counter": "x"}, {"files": []}, {"files": {}},
        {"files": [["a.pack", 3]]}, {"files": [["../a.pack", 3, "0"]]}, {"files": [["/a.pack", 3, "0"]]},
        {"files": [["a.pack", -3, "0"]]}, {"files": [["a.pack", 300_001, "0"]]},
        {"files": [["a/.b", 3, "0"]]}, {"files": [["a.pack", True, "0"]]},
    ],
)  # fmt: skip
def test_a_manifest_that_leaves_its_folder_or_its_bounds_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^has |^does not|^names"):
        read_manifest(manifest_of(**changes))


@given(st.binary(max_size=200))
def test_random_bytes_are_no_manifest(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        read_manifest(content)


@given(st.integers(0, 3), st.integers(0, 4000), st.integers(1, CHUNK_LENGTH))
def test_a_chunk_is_the_bytes_asked_for_or_the_peer_is_dropped(index: int, offset: int, length: int) -> None:
    release = release_of(read_manifest(manifest_of()), list(FILES.values()))
    content = dict(enumerate(FILES.values())).get(index, b"")
    wanted = ChunkWanted(index, offset, length)
    if offset + length > len(content):
        with pytest.raises(LinkError):
            release.chunk(wanted)
    else:
        assert release.chunk(wanted).data == content[offset : offset + length]


def test_what_is_put_into_the_update_folder_is_read_back(folder: Path, tmp_path: Path) -> None:
    release = read_release(folder)
    folders = ReleaseFolders(tmp_path / "updates")
    folders.put(release)

    assert folders.read("1.5.0_17", allows_older=False) == release
    digest = hashlib.sha256((tmp_path / "updates/1.5.0_17/application.pack").read_bytes()).hexdigest()
    assert digest == release.manifest.files[0].sha256
