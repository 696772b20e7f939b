import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import logging_io
from hub.errors import OperatorNeeded
from hub.logging_io import HIDDEN, configure_logging, redacted

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodWIifQ.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root, hub = logging.getLogger(), logging.getLogger("penstock")
    handlers, levels = list(root.handlers), (root.level, hub.level)
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(levels[0])
    hub.setLevel(levels[1])


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"refused {TOKEN} by the cloud", TOKEN),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("authorization: bearer abc123xyz", "abc123xyz"),
        ("key sb_secret_abcDEF_123 was refused", "sb_secret_abcDEF_123"),
        ("https://hub:hunter2@cloud.example/x", "hunter2"),
        ("device_secret=hunter2hunter2 rest", "hunter2hunter2"),
        ('{"password": "hunter2"}', "hunter2"),
        ("PENSTOCK_DEVICE_SECRET: hunter2", "hunter2"),
        ("apikey=hunter2&limit=5", "hunter2"),
        ("api_key: hunter2", "hunter2"),
        ("access_token=hunter2;", "hunter2"),
    ],
)
def test_hides_what_looks_like_a_secret(line: str, secret: str) -> None:
    assert secret not in redacted(line)
    assert HIDDEN in redacted(line)


@pytest.mark.parametrize(
    "line",
    [
        "tank-1: level 12.5 cm at 10:15:00",
        "the token expires in 5400 s",
        "https://cloud.example:8443/rest/v1/telemetry_tank",
        "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0 opened",
        "no password was needed",
    ],
)
def test_leaves_other_lines_alone(line: str) -> None:
    assert redacted(line) == line


def lines_of(path: Path) -> list[str]:
    for handler in logging.getLogger().handlers:
        handler.flush()
    return path.read_text().splitlines()


def test_json_lines_carry_ids_and_never_secrets(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "hub.log"
    configure_logging("info", path, "json")
    log = logging.getLogger("penstock.uplink")
    log.info("sent with %s\nsecond line", TOKEN, extra={"correlation_id": "id1", "device_key": "tank-1"})
    try:
        int("password=hunter2")
    except ValueError:
        log.exception("failed")
    first, second = [json.loads(line) for line in lines_of(path)]
    assert first | {"time": 0} == {
        "time": 0,
        "level": "info",
        "logger": "penstock.uplink",
        "message": f"sent with {HIDDEN}\nsecond line",
        "correlation_id": "id1",
        "device_key": "tank-1",
    }
    assert "hunter2" not in second["traceback"]
    assert "ValueError" in second["traceback"]


def test_plain_lines_end_in_the_id(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    configure_logging("info", path)
    logging.getLogger("penstock.events").warning("bus_down", extra={"correlation_id": "id1"})
    assert lines_of(path)[0].endswith("WARNING  penstock.events: bus_down [id1]")


def test_libraries_are_quieter_than_the_hub(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    configure_logging("debug", path)
    logging.getLogger("pymodbus").info("chatter")
    logging.getLogger("pymodbus").warning("trouble")
    logging.getLogger("penstock.modbus").debug("detail")
    assert [line.rsplit(": ", 1)[1] for line in lines_of(path)] == ["trouble", "detail"]


def test_files_are_rotated_and_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging_io, "FILE_BYTES", 2000)
    configure_logging("info", tmp_path / "hub.log")
    for number in range(500):
        logging.getLogger("penstock").info("line %d", number)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["hub.log", "hub.log.1", "hub.log.2", "hub.log.3"]
    assert all(file.stat().st_size <= 2000 for file in tmp_path.iterdir())


def test_configuring_again_does_not_double_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    for _ in range(2):
        configure_logging("info", path)
    logging.getLogger("penstock").info("once")
    assert len(lines_of(path)) == 1


def test_a_log_file_that_cannot_be_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorNeeded, match=r"log file cannot be written.*choose a writable log_file"):
        configure_logging("info", tmp_path / "file" / "hub.log")
