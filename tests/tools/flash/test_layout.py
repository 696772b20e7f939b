"""What lies where on a node, and which slot a release goes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import boot
from firmware.node import slots
from tools.flash import layout


def test_names_are_those_of_the_boot_part() -> None:
    assert (layout.CRASH_FILE, f"/{layout.MOUNT}") == (boot.CRASH_FILE, boot.MOUNT)


def test_what_is_not_ours_is_foreign() -> None:
    root = ["boot.py", "main.py", "slots", "slot.0", "ring", "application", "lib", ".Trashes"]
    assert layout.foreign(root) == ["boot.py", "lib"]


@pytest.mark.parametrize(
    ("whole", "slot"), [((), "a"), (("a",), "b"), (("b",), "a"), (("a", "b"), "b")], ids=str
)
def test_without_a_record_the_slot_that_would_start_is_left_alone(whole: tuple[str, ...], slot: str) -> None:
    assert layout.choose_slot({}, whole) == slot


pointers = st.builds(
    lambda is_a, left, fast: (is_a, left, fast), st.booleans(), st.integers(0, 3), st.integers(0, 20)
)


@given(pointers, st.sets(st.sampled_from(slots.SLOTS), min_size=1), st.integers(1, 2**29))
def test_the_slot_that_was_filled_starts_and_the_one_before_was_never_touched(
    said: tuple[bool, int, int], whole: set[str], number: int
) -> None:
    before = slots.Pointer()
    is_a, before.trial_boots_left, before.fast_resets = said
    if not is_a:
        before.exchange()
    copies = {"slot.0": slots.encode(number, before), "slot.1": b"torn"}
    chosen = layout.choose_slot(copies, whole)
    assert chosen != before.active or before.active not in whole
    name, content = layout.switched(copies, {*whole, chosen}, chosen, "1.2.3", 17)
    assert name == "slot.1"  # a torn write costs the older copy at most
    found = slots.decode(content)
    assert found is not None
    after = found[1]
    assert (after.active, after.version, after.counter) == (chosen, "1.2.3", 17)
    assert not after.is_trial
    assert after.fast_resets == 0


def test_small_files_need_no_block_of_their_own() -> None:
    assert layout.blocks_of([0, 512, 513, 4096, 4097]) == 4
