"""The source of the functions: typed, tidy, and in need of nothing that would have to be fetched."""

import re
import tomllib

import pytest

from tests.supabase.functions.deno import FUNCTIONS, MAIN, ROOT, run

CONFIG = ("--config", str(FUNCTIONS / "deno.json"))
NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/index.ts"))


@pytest.mark.parametrize("command", [("check", "--no-remote", "--no-npm"), ("lint",), ("fmt", "--check")])
def test_deno_has_nothing_to_say(command: tuple[str, ...]) -> None:
    done = run(*command, *CONFIG, FUNCTIONS, MAIN)
    assert done.returncode == 0, done.stdout + done.stderr


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
