"""The boot part: the way to the prompt is always open, and what goes wrong is noted."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import boot
from firmware.node import slots
from firmware.node.slots import Pointer
from firmware.node.trial import FAST_RESETS, STEADY_S, ResetCause


class Restarted(KeyboardInterrupt):
    """What a board does at reset(): nothing runs on."""


class FakeBoard:
    """A board whose clock moves when it sleeps; interrupt_at_ms: when somebody presses Ctrl-C."""

    def __init__(self, cause: int = ResetCause.POWER, interrupt_at_ms: int = 1 << 30) -> None:
        self.cause = cause
        self.interrupt_at_ms = interrupt_at_ms
        self.now_ms = 0
        self.feeds = 0
        self.is_watched = False

    def reset_cause(self) -> int:
        return self.cause

    def reset(self) -> None:
        raise Restarted

    def start_watchdog(self, timeout_ms: int) -> "FakeBoard":
        self.is_watched = timeout_ms <= 8388
        return self

    def feed(self) -> None:
        self.feeds += 1

    def ticks_ms(self) -> int:
        return self.now_ms

    def ticks_diff(self, later: int, earlier: int) -> int:
        return later - earlier

    def sleep_ms(self, duration_ms: int) -> None:
        self.now_ms += duration_ms
        if self.now_ms >= self.interrupt_at_ms:
            raise KeyboardInterrupt


@pytest.fixture
def root(tmp_path: Path) -> Iterator[str]:
    """A flash with a slot; the application is up to the test. What it leaves in the interpreter is undone."""
    (tmp_path / "slots/a/firmware").mkdir(parents=True)
    (tmp_path / "slots/a/firmware/__init__.py").touch()  # MicroPython does without
    (tmp_path / "slots/a/manifest.json").write_text("{}")
    modules, path = dict(sys.modules), list(sys.path)
    yield f"{tmp_path}/"
    sys.path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] in {"firmware", "shared_schema"}]:
        del sys.modules[name]
    sys.modules.update(modules)


def application(root: str, body: str) -> None:
    Path(f"{root}slots/a/firmware/main.py").write_text(f"def run(start):\n    {body}\n")


def run(root: str, board: FakeBoard) -> Pointer:
    with pytest.raises(Restarted):
        boot.start(board, root)  # type: ignore[arg-type]
    return slots.load(root)


def test_ctrl_c_in_the_first_three_seconds_leaves_everything_alone(root: str) -> None:
    application(root, "raise AssertionError")
    before = sorted(Path(root).rglob("*"))
    board = FakeBoard(ResetCause.WATCHDOG, interrupt_at_ms=2999)
    with pytest.raises(KeyboardInterrupt) as stopped:
        boot.start(board, root)  # type: ignore[arg-type]
    assert stopped.type is KeyboardInterrupt
    assert not board.is_watched
    assert sorted(Path(root).rglob("*")) == before


def test_the_prompt_is_reachable_even_without_anything_to_start(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        boot.start(FakeBoard(interrupt_at_ms=1), f"{tmp_path}/")  # type: ignore[arg-type]


def test_ctrl_c_reaches_the_prompt_from_the_application_too(root: str) -> None:
    application(root, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt) as stopped:
        boot.start(FakeBoard(), root)  # type: ignore[arg-type]
    assert stopped.type is KeyboardInterrupt


def test_a_node_that_wakes_from_sleep_does_not_wait(root: str) -> None:
    application(root, "pass")
    board = FakeBoard(ResetCause.SLEEP)
    run(root, board)
    assert board.now_ms == 0


def test_the_application_runs_under_the_watchdog_and_its_end_is_orderly(root: str) -> None:
    application(root, "start.feed()")
    board = FakeBoard()
    assert run(root, board).reset_note == ResetCause.ORDERLY
    assert board.is_watched
    assert board.feeds == 1
    assert not Path(root + boot.CRASH_FILE).exists()


@pytest.mark.parametrize("error", ["ValueError('no such pin')", "SystemExit()", "MemoryError()"])
def test_an_exception_is_noted_with_its_traceback(error: str, root: str) -> None:
    application(root, f"raise {error}")
    assert run(root, FakeBoard()).reset_note == ResetCause.EXCEPTION
    note = Path(root + boot.CRASH_FILE).read_text()
    assert note.startswith("slot a, ")
    assert error.partition("(")[0] in note
    assert "main.py" in note


def test_a_crash_note_is_small_and_keeps_its_end(root: str) -> None:
    application(root, "raise ValueError('x' * 5000 + 'the end')")
    run(root, FakeBoard())
    note = Path(root + boot.CRASH_FILE).read_bytes()
    assert len(note) == boot.CRASH_BYTES
    assert note.endswith(b"the end\n")


def test_a_missing_application_is_an_exception_like_any_other(root: str) -> None:
    assert run(root, FakeBoard()).reset_note == ResetCause.EXCEPTION


@pytest.mark.parametrize(("fast_resets", "is_safe_mode"), [(FAST_RESETS - 2, False), (FAST_RESETS - 1, True)])
def test_the_application_is_told_of_safe_mode(fast_resets: int, is_safe_mode: bool, root: str) -> None:
    application(root, f"assert start.is_safe_mode is {is_safe_mode}")
    pointer = Pointer()
    pointer.fast_resets = fast_resets
    slots.store(root, pointer)
    assert run(root, FakeBoard(ResetCause.WATCHDOG)).reset_note == ResetCause.ORDERLY


def test_what_was_noted_before_the_reset_counts_more_than_what_the_hardware_says(root: str) -> None:
    application(root, f"assert start.cause == {ResetCause.EXCEPTION}")
    pointer = Pointer()
    pointer.reset_note = ResetCause.EXCEPTION
    slots.store(root, pointer)
    assert run(root, FakeBoard(ResetCause.WATCHDOG)).reset_note == ResetCause.ORDERLY


@pytest.mark.parametrize(("age_s", "fast_resets"), [(STEADY_S - 1, 3), (STEADY_S, 0)])
def test_a_boot_of_a_minute_clears_the_count(age_s: int, fast_resets: int, root: str) -> None:
    pointer = Pointer()
    pointer.fast_resets = 3
    slots.store(root, pointer)
    board = FakeBoard()
    started = boot.Start(root, pointer, ResetCause.POWER, board)  # type: ignore[arg-type]
    board.now_ms += age_s * 1000
    started.feed()
    assert slots.load(root).fast_resets == fast_resets


def test_a_flash_that_takes_nothing_still_starts_the_application(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(slots, "store", full)
    application(root, "start.feed()")
    board = FakeBoard(ResetCause.WATCHDOG)
    run(root, board)
    assert board.feeds == 1


def test_a_record_that_names_an_empty_slot_does_not_stop_the_node(root: str) -> None:
    application(root, "start.feed()")
    pointer = Pointer()
    pointer.active, pointer.previous, pointer.version = "b", "a", "1.5.0"
    slots.store(root, pointer)
    board = FakeBoard()
    assert run(root, board).active == "a"
    assert board.feeds == 1


def test_a_choice_made_without_a_record_is_recorded(root: str) -> None:
    application(root, "from firmware.node import slots; assert slots.is_recorded(start.root)")
    Path(f"{root}slots/a").rename(f"{root}slots/b")
    (Path(root) / "slots/b/firmware/node").mkdir()
    (Path(root) / "slots/b/firmware/node/slots.py").write_text(Path(slots.__file__).read_text())
    pointer = run(root, FakeBoard())
    assert (pointer.active, pointer.reset_note) == ("b", ResetCause.ORDERLY)
