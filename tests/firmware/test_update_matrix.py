"""An update over the air in the real MicroPython, on LittleFS: whatever goes wrong, the right one runs."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from firmware.node.trial import FAST_RESETS, LAST_RESORT_RESETS
from firmware.node.update import FLUSH_BYTES
from shared_schema.update_messages import CHUNK_LENGTH, Update, UpdateState, encode_update
from tools.firmware import release
from tools.firmware.release import Release

ROOT = Path(__file__).resolve().parents[2]
ON_BOARD = Path(__file__).with_name("on_board")
KEY = bytes(range(32))
OLD, NEW = "1.4.0", "1.5.0"
ESP32, RP2 = 32, 256  # bytes that are programmed at once, as MicroPython sets LittleFS up there
LINES = 100  # make a file of more than two blocks of flash
FETCHING, TRIAL, CONFIRMED = UpdateState.FETCHING, UpdateState.TRIAL, UpdateState.CONFIRMED
REVERTED, REFUSED, FAILED = UpdateState.REVERTED, UpdateState.REFUSED, UpdateState.FAILED
# What an update needs of the application; the rest of a node has no part in it.
MODULES = (
    "firmware/node/files.py",
    "firmware/node/manifest.py",
    "firmware/node/passing.py",
    "firmware/node/slot_files.py",
    "firmware/node/slots.py",
    "firmware/node/trial.py",
    "firmware/node/update.py",
    "firmware/node/update_report.py",
    "firmware/node/updating.py",
    "shared_schema/digest.py",
    "shared_schema/packing.py",
    "shared_schema/update_messages.py",
)


class Verdict(NamedTuple):
    """What World.verdict says."""

    version: str
    starts: list[tuple[str, bool, bool]]
    boots: int
    writes: int
    record: list[Any]
    is_whole: bool
    heard: list[list[Any]]
    bytes_sent: int
    crash: str


def sources(folder: Path, version: str, behaviour: str) -> Path:
    """Put the sources of a small application that behaves like this into folder."""
    for path in (*MODULES, "firmware/boot.py", "firmware/pack.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    (folder / "firmware" / "drivers").mkdir(exist_ok=True)
    ballast = f"ROWS = {bytes(range(32, 127)) * LINES!r}\n"
    (folder / "firmware" / "drivers" / "ballast.py").write_text(ballast)
    text = (ON_BOARD / "slot_main.py").read_text()
    (folder / "firmware" / "main.py").write_text(
        text.replace("@VERSION", version).replace("@BEHAVIOUR", behaviour)
    )
    return folder


class Site:
    """A node that runs OLD, and a hub that offers it something."""

    def __init__(self, folder: Path, micropython: list[str]) -> None:
        self.folder = folder
        self.micropython = micropython
        self.put("key", KEY)
        (folder / "hub").mkdir()
        (folder / "hub" / "shared_schema").symlink_to(ROOT / "shared_schema")  # what the simulated hub speaks
        self.runs_old()

    def runs_old(self, behaviour: str = "good") -> None:
        old = sources(self.folder / "old", OLD, behaviour)
        board = release.bare_board(release.build(OLD, 14, sources=old), sources=old)
        for path, content in board.items():
            self.put(f"board/{path}", content)
        self.put("board.json", json.dumps(list(board)).encode())

    def put(self, path: str, content: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def offers(self, behaviour: str = "good", *, counter: int = 15, allows_older: bool = False) -> Release:
        new = sources(self.folder / "new", NEW, behaviour)
        made = release.build(NEW, counter, sources=new, allows_older=allows_older)
        self.sign(made, KEY)
        for index, file in enumerate(made.files):
            self.put(f"files/{index}", file.content)
        return made

    def sign(self, made: Release, key: bytes) -> None:
        self.put("offer", encode_update(Update(made.manifest, made.mac(key))))

    def runs(self, cuts: range, **case: Any) -> list[Verdict]:
        """Run once for each of cuts, the write at which the power goes first; CASE of update_matrix.py."""
        case = {"version": NEW, "steps": [0], "is_torn": False, "program_bytes": ESP32, **case}
        case["cuts"] = [cuts.start, cuts.stop, cuts.step]
        answer = subprocess.run(
            [
                *self.micropython,
                "-X",
                "heapsize=8m",
                str(ON_BOARD / "update_matrix.py"),
                str(self.folder),
                json.dumps(case),
            ],
            env={**os.environ, "MICROPYPATH": f"{ON_BOARD}:{self.folder}/hub:.frozen"},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        lines = [line for line in answer.stdout.splitlines() if line.startswith("{")]
        assert len(lines) == len(cuts), answer.stdout + answer.stderr
        return [Verdict(**json.loads(line)) for line in lines]

    def run(self) -> Verdict:
        return self.runs(range(1))[0]


@pytest.fixture
def site(tmp_path: Path, micropython: list[str]) -> Site:
    return Site(tmp_path, micropython)


def test_a_good_release_is_taken_and_confirmed(site: Site) -> None:
    site.offers()
    verdict = site.run()
    assert verdict.record == [NEW, 15, 0, 0]
    assert verdict.starts == [[OLD, False, False], [NEW, False, True]]
    assert verdict.is_whole
    trial = [(TRIAL, NEW)] * 3  # put in place; after the boot; when it is offered again
    assert states(verdict) == [(CONFIRMED, OLD), (FETCHING, NEW), *trial, (CONFIRMED, NEW)]


@pytest.mark.parametrize(
    ("behaviour", "trial_boots"),
    [
        ("crash at import", 3),
        ("crash after a minute", 3),
        ("hang", 3),
        ("restarts itself", 3),
        ("unreachable", 1),
        ("silent", 1),
    ],
)
def test_a_bad_release_goes_back(behaviour: str, trial_boots: int, site: Site) -> None:
    site.offers(behaviour)
    verdict = site.run()
    assert verdict.starts[-1] == [OLD, False, False]
    assert verdict.boots == 1 + trial_boots + 1
    assert verdict.record == [OLD, 14, 0, 0]
    assert verdict.is_whole
    assert states(verdict)[-1] == (REVERTED, NEW)


def test_a_crash_leaves_a_note_of_where(site: Site) -> None:
    site.offers("crash at import")
    note = site.run().crash
    assert note.startswith(f"slot b, {NEW}\n")
    assert "firmware/main.py" in note
    assert "a release that does not even import" in note


def test_a_release_that_crashes_before_it_reached_the_hub_is_not_trusted_for_living_long(site: Site) -> None:
    site.offers("crash after a minute, unreachable")
    assert site.run().record == [OLD, 14, 0, 0]


def test_a_truncated_file_ends_the_update(site: Site) -> None:
    made = site.offers()
    site.put("files/0", made.files[0].content[:-7])
    assert refusal(site.run()) == (FAILED, f"{made.files[0].path} has another length than the release says")


def test_a_flipped_bit_ends_the_update(site: Site) -> None:
    made = site.offers()
    content = bytearray(made.files[0].content)
    content[100] ^= 4
    site.put("files/0", bytes(content))
    expected = f"{made.files[0].path} came 3 times with another SHA-256 than the release says"
    assert refusal(site.run()) == (FAILED, expected)


def test_a_release_signed_for_another_node_is_refused(site: Site) -> None:
    site.sign(site.offers(), bytes(32))
    assert refusal(site.run()) == (REFUSED, "manifest not signed with the key of this node")


def test_an_older_release_is_refused(site: Site) -> None:
    site.offers(counter=13)
    assert refusal(site.run()) == (REFUSED, f"{NEW} is older than what runs; allow_older would take it")


def test_an_older_release_is_taken_when_the_hub_says_so(site: Site) -> None:
    site.offers(counter=13, allows_older=True)
    assert site.run().record == [NEW, 13, 0, 0]


CUTS = pytest.mark.parametrize(
    "case",
    [
        {},
        {"is_torn": True},
        {"is_torn": True, "program_bytes": RP2},
        {"steps": [0, 4, 9, 23]},  # and again while it recovers
    ],
    ids=["cut", "torn", "rp2", "again and again"],
)
ENDS = pytest.mark.parametrize(
    ("behaviour", "record"),
    [("good", [NEW, 15, 0, 0]), ("crash at import", [OLD, 14, 0, 0]), ("unreachable", [OLD, 14, 0, 0])],
    ids=["good", "crash", "unreachable"],
)


@CUTS
@ENDS
def test_survives_power_cuts(behaviour: str, record: list[Any], case: dict[str, Any], site: Site) -> None:
    site.offers(behaviour)
    assert_survives(site, 41, record, case)


@pytest.mark.soak
@CUTS
@ENDS
def test_survives_a_power_cut_at_every_write(
    behaviour: str, record: list[Any], case: dict[str, Any], site: Site
) -> None:
    site.offers(behaviour)
    assert_survives(site, 1, record, case)


def assert_survives(site: Site, step: int, record: list[Any], case: dict[str, Any]) -> None:
    """Cut the power at every step-th write of an update; the node recovers by itself."""
    writes = site.runs(range(1), **(case | {"steps": [0]}))[0].writes
    assert writes > 30
    cuts = range(1, writes + 1, step)
    for cut, verdict in zip(cuts, site.runs(cuts, **case), strict=True):
        assert verdict.record == record, f"power cut at write {cut}: {verdict}"
        assert verdict.starts[-1][0] == record[0], f"power cut at write {cut}: {verdict}"
        assert verdict.is_whole, f"power cut at write {cut}: {verdict}"
        assert not any(is_safe for _, is_safe, _ in verdict.starts), f"power cut at write {cut}: {verdict}"


def test_what_is_on_flash_is_not_fetched_again_after_a_power_cut(site: Site) -> None:
    size = sum(len(file.content) for file in site.offers().files)
    whole = site.run()
    assert whole.bytes_sent == size
    verdicts = site.runs(range(1, whole.writes + 1, 11))
    assert max(verdict.bytes_sent for verdict in verdicts) > size
    assert max(verdict.bytes_sent for verdict in verdicts) <= size + FLUSH_BYTES + CHUNK_LENGTH


def test_five_fast_resets_lead_to_safe_mode_and_a_minute_there_ends_it(site: Site) -> None:
    site.runs_old("runs in safe mode only")
    site.put("offer", b"")
    site.put("files/0", b"")
    verdict = site.run()
    assert verdict.starts == [[OLD, False, False]] * FAST_RESETS + [[OLD, True, False]]
    assert verdict.record == [OLD, 14, 0, 0]


def test_safe_mode_takes_an_update(site: Site) -> None:
    site.runs_old("runs in safe mode only")
    site.offers()
    assert site.run().record == [NEW, 15, 0, 0]


def test_a_release_that_fails_in_safe_mode_too_gives_way_to_the_one_before(site: Site) -> None:
    site.offers("fails once confirmed")
    verdict = site.run()
    assert verdict.starts[-1] == [OLD, False, False]
    assert verdict.boots == 1 + LAST_RESORT_RESETS + 1
    assert verdict.record == ["", 0, 0, 0]


def refusal(verdict: Verdict) -> tuple[int, str]:
    """Return the state and the reason with which the old release, untouched, declined the new one."""
    assert verdict.starts == [[OLD, False, False]]
    assert verdict.record == [OLD, 14, 0, 0]
    assert verdict.is_whole
    state, _, text = verdict.heard[-1]
    return state, text


def states(verdict: Verdict) -> list[tuple[int, str]]:
    return [(state, version) for state, version, _ in verdict.heard]
