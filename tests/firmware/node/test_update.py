"""An update against an ordinary file system: what is wanted, what is taken, and what is told."""

import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.node import slots, trial
from firmware.node.update import ATTEMPTS, SlotUpdate
from shared_schema.digest import Hmac
from shared_schema.update_messages import CHUNK_LENGTH, Chunk, Update, UpdateState
from tools.firmware.release import Release, ReleaseFile, assemble

KEY = bytes(range(32))


def release(*contents: bytes, counter: int = 15, **more: Any) -> Release:
    files = [ReleaseFile(f"firmware/node/m{index}.py", content) for index, content in enumerate(contents)]
    return assemble("1.5.0", counter, files, **more)


def offer_of(made: Release) -> Update:
    return Update(made.manifest, made.mac(KEY))


class Node:
    """A node and what the hub has for it."""

    def __init__(self, folder: Path) -> None:
        self.root = f"{folder}/"
        (folder / "slots" / "a").mkdir(parents=True)
        slots.store(self.root, slots.Pointer())
        self.boot()

    def boot(self) -> None:
        self.update = SlotUpdate(self.root, Hmac(KEY), "rp2")

    def fetch(self, made: Release, chunks: int = 10_000) -> int:
        """Give the node what it wants, at most so many chunks; return the bytes it was given."""
        given_bytes = 0
        while chunks and (wanted := self.update.wanted()):
            chunks -= 1
            data = made.files[wanted.index].content[wanted.offset : wanted.offset + wanted.length]
            given_bytes += len(data)
            self.update.take(Chunk(wanted.index, wanted.offset, data))
        return given_bytes

    @property
    def told(self) -> tuple[int, str]:
        assert self.update.report
        return self.update.report.state, self.update.report.text


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.update.close()


def test_a_release_is_fetched_whole_and_put_on_trial(node: Node) -> None:
    made = release(b"x" * 5000, b"y")
    node.update.offer(offer_of(made))
    assert node.fetch(made) == 5001
    assert node.update.is_complete
    assert node.update.wanted() is None
    pointer = slots.load(node.root)
    assert (pointer.active, pointer.previous, pointer.trial_boots_left) == ("b", "a", trial.TRIAL_BOOTS)
    slot = Path(node.root) / "slots" / "b"
    assert (slot / slots.MANIFEST).read_bytes() == made.manifest
    assert [(slot / file.path).read_bytes() for file in made.files] == [file.content for file in made.files]


@given(st.integers(0, 9), st.integers(0, 9))
def test_after_a_reboot_only_what_is_missing_is_fetched(first: int, second: int) -> None:
    made = release(b"a" * 2500, b"b" * 100, b"c" * 3000)
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder))
        fetched = 0
        for chunks in (first, second, 10_000):
            node.update.offer(offer_of(made))
            fetched += node.fetch(made, chunks)
            node.update.close()
            if not node.update.is_complete:
                node.boot()
        assert node.update.is_complete or slots.load(node.root).is_trial
        assert fetched == 5600


def test_the_same_offer_again_changes_nothing(node: Node) -> None:
    made = release(b"x" * 3000)
    node.update.offer(offer_of(made))
    node.fetch(made, 1)
    node.update.offer(offer_of(made))
    wanted = node.update.wanted()
    assert wanted is not None
    assert (wanted.index, wanted.offset, wanted.length) == (0, CHUNK_LENGTH, CHUNK_LENGTH)


def test_another_offer_begins_anew(node: Node) -> None:
    first, second = release(b"x" * 3000), release(b"x" * 3000, counter=16)
    node.update.offer(offer_of(first))
    node.fetch(first, 2)
    node.update.offer(offer_of(second))
    assert node.fetch(second) == 3000
    assert slots.load(node.root).trial_counter == 16


def test_chunks_that_were_not_asked_for_are_ignored(node: Node) -> None:
    made = release(b"x" * 3000)
    node.update.take(Chunk(0, 0, b"x"))
    node.update.offer(offer_of(made))
    for chunk in (Chunk(0, 1024, bytes(1024)), Chunk(1, 0, bytes(1024)), Chunk(9, 0, b"")):
        node.update.take(chunk)
    assert node.fetch(made) == 3000


def test_a_file_that_stays_wrong_ends_the_update_and_the_next_offer_tries_again(node: Node) -> None:
    made = release(b"good")
    wrong = made._replace(files=(ReleaseFile("m", b"evil"),))
    node.update.offer(offer_of(made))
    assert node.fetch(wrong) == ATTEMPTS * 4
    assert node.told[0] == UpdateState.FAILED
    assert not slots.is_whole(node.root, "b")
    node.update.offer(offer_of(made))
    node.fetch(made)
    assert node.update.is_complete


def test_nothing_is_begun_while_the_slot_that_runs_is_on_trial(node: Node) -> None:
    made = release(b"x")
    node.update.offer(offer_of(made))
    node.fetch(made)
    node.boot()
    assert node.told == (UpdateState.TRIAL, "")
    (Path(node.root) / "slots/a/firmware.py").touch()
    node.update.offer(offer_of(release(b"y", counter=16)))
    assert node.told == (UpdateState.REFUSED, "1.5.0 is still on trial")
    assert (Path(node.root) / "slots/a/firmware.py").exists()
    node.update.offer(offer_of(made))
    assert node.told == (UpdateState.TRIAL, "")


def test_what_became_of_a_trial_is_told_after_the_boot(node: Node) -> None:
    pointer = slots.load(node.root)
    trial.begin(pointer, "1.5.0", 15)
    pointer.exchange()
    slots.store(node.root, pointer)
    node.boot()
    assert node.told == (UpdateState.REVERTED, "")
    trial.begin(pointer, "1.6.0", 16)
    trial.confirm(pointer)
    slots.store(node.root, pointer)
    node.update.look_again()
    assert node.told == (UpdateState.CONFIRMED, "")
    node.update.offer(offer_of(release(b"x", counter=16)))
    assert node.told == (UpdateState.CONFIRMED, "")
    assert node.update.wanted() is None


def test_a_release_that_went_back_is_tried_again_without_fetching_when_the_hub_insists(node: Node) -> None:
    made = release(b"x" * 3000)
    node.update.offer(offer_of(made))
    node.fetch(made)
    pointer = slots.load(node.root)
    pointer.exchange()
    slots.store(node.root, pointer)
    node.boot()
    node.update.offer(offer_of(made))
    assert node.update.is_complete
    assert node.fetch(made) == 0


def test_a_full_flash_ends_the_update_and_nothing_else(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    made = release(b"x" * 3000)
    node.update.offer(offer_of(made))
    monkeypatch.setattr("firmware.node.slot_files.make_folders", full)
    node.fetch(made, 1)
    assert node.told == (UpdateState.FAILED, "flash of the idle slot: OSError(28, 'no space left')")
    assert node.update.wanted() is None
    assert slots.load(node.root).active == "a"


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left")


def test_the_slot_is_not_whole_from_the_first_chunk_on(node: Node) -> None:
    made = release(b"x" * 3000)
    node.update.offer(offer_of(made))
    node.fetch(made)
    pointer = slots.load(node.root)
    pointer.exchange()
    slots.store(node.root, pointer)
    (Path(node.root) / "slots/b/firmware/node/m0.py").write_bytes(b"damaged")
    node.boot()
    node.update.offer(offer_of(made))
    assert not slots.is_whole(node.root, "b")
    node.fetch(made)
    assert slots.is_whole(node.root, "b")
