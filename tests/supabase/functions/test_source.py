"""The source of the functions: typed, tidy, and in need of nothing that would have to be fetched."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.local_cloud import deno_io
from tools.local_cloud.deno_io import CHECKS, FUNCTIONS, MAIN, look_at_functions
from tools.local_cloud.node_io import ROOT

NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/index.ts"))


@pytest.mark.parametrize("command", [("check", "--no-remote", "--no-npm"), *CHECKS])
def test_deno_has_nothing_to_say(command: tuple[str, ...]) -> None:
    done = look_at_functions(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = tmp_path / "planted.ts"
    planted.write_text("let never_changed = 1;export default never_changed")
    monkeypatch.setattr(deno_io, "MAIN", planted)
    assert deno_io.main() == 1
    assert "prefer-const" in capfd.readouterr().err


def test_functions_import_nothing_but_each_other() -> None:
    sources = [*FUNCTIONS.rglob("*.ts"), MAIN]
    assert len(sources) > 10
    found = {
        (path.name, target)
        for path in sources
        for target in re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", path.read_text())
    }
    assert found
    assert {
        (name, target) for name, target in found if not re.match(r"\.{1,2}/[\w./-]+\.ts$", target)
    } == set()


def test_every_function_is_configured_and_routed() -> None:
    configured = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())["functions"]
    assert sorted(configured) == NAMES
    # They check for themselves who calls; that they do is tested with each.
    assert {settings["verify_jwt"] for settings in configured.values()} == {False}
    assert sorted(re.findall(r'^  \["([\w-]+)", \w+\],$', MAIN.read_text(), re.MULTILINE)) == NAMES
