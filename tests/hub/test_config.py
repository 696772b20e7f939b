"""What the configuration file accepts, and how it says no."""

from pathlib import Path

import pytest

from hub.config import load
from hub.errors import ConfigError

GOOD = """
[hub]
device_key = "site-7-hub"
data_dir = "var"
[cloud]
url = "https://example.supabase.co"
publishable_key = "${KEY}"
device_secret = "${SECRET}"
[[bus]]
name = "field"
port = "/dev/serial/by-id/usb-adapter"
baud = 19200
[[transmitter]]
device_key = "tank-1"
bus = "field"
address = 3
profile = "some-level"
interval_s = 1.0
"""

TEN_MISTAKES = """
[hub]
device_key = "Site 7"
data_dir = "${NOPE}"
comit_interval_s = 1
[cloud]
url = "ftp://x"
publishable_key = "key"
[[bus]]
name = "field"
port = "/dev/a"
baud = "fast"
[[bus]]
name = "field"
port = "/dev/b"
[[transmitter]]
device_key = "tank-1"
bus = "feild"
address = 3
profile = "x"
[[transmitter]]
device_key = "tank-1"
bus = "field"
address = 300
interval_s = -4
profile = "x"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    return [f"{problem.key} | {problem.reason} | {problem.hint}" for problem in caught.value.problems]


def test_fills_variables_and_anchors_paths_at_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD), {"KEY": "sb_publishable_x", "SECRET": "00ff"})

    assert config.cloud is not None
    assert config.cloud.publishable_key.get_secret_value() == "sb_publishable_x"
    assert config.hub.data_dir == tmp_path / "var"
    assert config.transmitter[0].interval_s == 1.0


def test_names_every_mistake_at_once(tmp_path: Path) -> None:
    problems = problems_of(write(tmp_path, TEN_MISTAKES))

    for expected in (
        "hub.data_dir | ${NOPE} is not set",
        "hub.device_key | 'Site 7' is not a device key",
        "hub.comit_interval_s | is not a known key | did you mean commit_interval_s?",
        "cloud.url | 'ftp://x' is not the address of a project",
        "cloud.device_secret | is missing",
        "bus[0].baud of field | input should be a valid integer",
        "bus[1] of field | this name is taken",
        "transmitter[0] of tank-1: bus | no bus is called 'feild' | there is: field",
        "transmitter[1] of tank-1 | this device_key is taken",
        "transmitter[1].address of tank-1 | input should be less than or equal to 255",
        "transmitter[1].interval_s of tank-1 | input should be greater than or equal to 0.05",
    ):
        assert any(problem.startswith(expected) for problem in problems), expected


def test_says_where_toml_itself_is_broken(tmp_path: Path) -> None:
    problems = problems_of(write(tmp_path, "[hub]\ndevice_key = site\n"))

    assert len(problems) == 1
    assert "line 2" in problems[0]


def test_says_that_a_file_is_not_there(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "missing.toml") == ["file | not found | name an existing TOML file"]


def test_never_prints_a_secret_that_is_wrong(tmp_path: Path) -> None:
    text = GOOD.replace('"${SECRET}"', "12345")

    problems = problems_of(write(tmp_path, text), {"KEY": "x"})

    assert problems
    assert not any("12345" in problem for problem in problems)


def test_says_how_a_file_was_not_saved_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes("# Pegel Süd\n".encode("latin-1"))

    assert problems_of(path) == ["file | is not UTF-8 text: byte 9 is 0xfc | save it as UTF-8"]
    assert problems_of(tmp_path) == ["file | cannot be read: Is a directory | "]


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_takes_only_finite_numbers(tmp_path: Path, number: str) -> None:
    text = GOOD.replace("interval_s = 1.0", f"interval_s = {number}")

    assert "finite" in problems_of(write(tmp_path, text), {"KEY": "x", "SECRET": "x"})[0]


def test_says_what_should_have_been_a_table(tmp_path: Path) -> None:
    problems = problems_of(write(tmp_path, "hub = 3\nbus = [1]\n"))

    assert "hub | is not a table | it begins with a line [hub]" in problems
    assert "bus[0] | is not a table | it begins with a line [[bus]]" in problems


@pytest.mark.parametrize("text", ["", "hub = 3", "[[hub]]", "bus = [1, 2]\ntransmitter = 'x'", "\x00"])
def test_survives_shapes_nobody_meant(tmp_path: Path, text: str) -> None:
    assert problems_of(write(tmp_path, text))


NODES = """
[hub]
device_key = "site-7-hub"
data_dir = "var"
[nodes]
"""


def test_takes_nodes_where_a_section_says_so(tmp_path: Path) -> None:
    nodes = load(write(tmp_path, NODES)).nodes
    assert nodes is not None
    assert (nodes.listen, nodes.port, nodes.approve, nodes.max_nodes) == ("0.0.0.0", 8266, "flashed", 1000)


def test_names_every_mistake_in_the_section_of_nodes(tmp_path: Path) -> None:
    text = NODES + 'listen = "the lan"\nport = 70000\napprove = "never"\nmax_node = 5\n'
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path, text))
    found = str(error.value)
    assert "nodes.listen: 'the lan' is not an IP address of this machine (0.0.0.0 for all" in found
    assert "nodes.port: input should be less than or equal to 65535, not 70000" in found
    assert "nodes.approve: input should be 'flashed' or 'by hand', not 'never'" in found
    assert "nodes.max_node: is not a known key (did you mean max_nodes?)" in found
