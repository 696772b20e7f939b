"""The record of which slot starts: whatever happens to its copies, it can be read and written."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from firmware.node import slots
from firmware.node.slots import COPIES, Pointer

PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789.+-"
numbers = st.integers(0, 2**30 - 1)
versions = st.text(PLAIN, max_size=32)


@st.composite
def pointers(draw: st.DrawFn) -> Pointer:
    pointer = Pointer()
    pointer.active, pointer.previous = draw(st.sampled_from([("a", "b"), ("b", "a")]))
    pointer.trial_boots_left = draw(st.integers(0, 3))
    pointer.version, pointer.counter = draw(versions), draw(numbers)
    pointer.fast_resets, pointer.reset_note = draw(numbers), draw(st.integers(0, 6))
    pointer.trial_version, pointer.trial_counter = draw(versions), draw(numbers)
    return pointer


# Which bit of a copy is flipped, or how much of it (in thousandths) is left.
damages = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 2000)), st.tuples(st.just("cut"), st.integers(0, 1000))
)
Damage = tuple[str, int]


def damaged(content: bytes, damage: Damage) -> bytes:
    kind, number = damage
    if kind == "cut":
        return content[: len(content) * number // 1000]
    flipped = bytearray(content)
    bit = number % (8 * len(flipped))
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def same(one: Pointer, other: Pointer) -> bool:
    return vars(one) == vars(other)


@given(numbers, pointers())
def test_decode_undoes_encode_and_fits_one_read(number: int, pointer: Pointer) -> None:
    copy = slots.encode(number, pointer)
    assert len(copy) <= slots.RECORD_BYTES
    decoded = slots.decode(copy)
    assert decoded is not None
    assert decoded[0] == number
    assert same(decoded[1], pointer)


@given(st.lists(pointers(), min_size=2, max_size=4), st.integers(0, 1), damages)
def test_one_damaged_copy_costs_at_most_the_last_write(
    stored: list[Pointer], index: int, damage: Damage
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/"
        for pointer in stored:
            slots.store(root, pointer)
        copy = Path(root + COPIES[index])
        before = copy.read_bytes()
        copy.write_bytes(damaged(before, damage))
        is_newest = index == (len(stored) - 1) % 2
        is_lost = is_newest and copy.read_bytes() != before
        assert same(slots.load(root), stored[-2 if is_lost else -1])


@given(st.tuples(pointers(), damages), st.tuples(pointers(), damages), pointers(), st.binary(max_size=80))
def test_any_two_copies_give_a_choice_and_take_the_next(
    one: tuple[Pointer, Damage],
    other: tuple[Pointer, Damage],
    following: Pointer,
    noise: bytes,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/"
        for number, (name, (pointer, damage)) in enumerate(zip(COPIES, (one, other), strict=True), start=1):
            Path(root + name).write_bytes(damaged(slots.encode(number, pointer), damage) or noise)
        choice = slots.load(root)
        assert {choice.active, choice.previous} == {"a", "b"}
        slots.store(root, following)
        assert same(slots.load(root), following)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_copy_are_none(noise: bytes) -> None:
    assert slots.decode(noise) is None


def test_a_write_leaves_the_newest_copy_alone(tmp_path: Path) -> None:
    root = f"{tmp_path}/"
    for _ in range(4):
        slots.store(root, Pointer())
    newest = max(COPIES, key=lambda name: slots.decode((tmp_path / name).read_bytes()) or (0,))
    before = (tmp_path / newest).read_bytes()
    slots.store(root, Pointer())
    assert (tmp_path / newest).read_bytes() == before


def test_without_a_record_the_whole_slot_starts(tmp_path: Path) -> None:
    root = f"{tmp_path}/"
    assert slots.load(root).active == "a"
    (tmp_path / "slots" / "b").mkdir(parents=True)
    (tmp_path / "slots" / "b" / slots.MANIFEST).write_text("{}")
    assert slots.load(root).active == "b"
