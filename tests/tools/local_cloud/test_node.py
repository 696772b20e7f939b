"""Node.js and its packages, where they are and where they are not."""

import json
import shutil
from pathlib import Path

import pytest

from hub.errors import OperatorNeeded
from tools.local_cloud import node_io


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without node_modules, and no registry to reach."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(node_io.ROOT / name, tmp_path)
    monkeypatch.setattr(node_io, "ROOT", tmp_path)
    monkeypatch.setattr(node_io, "CACHE", tmp_path / ".cache")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    return tmp_path


def pretend_installed(checkout: Path, older: str = "") -> None:
    packages = json.loads((checkout / "package-lock.json").read_text())["packages"]
    if older:
        packages[f"node_modules/{older}"]["version"] = "0.0.1"
    (checkout / "node_modules").mkdir()
    (checkout / "node_modules" / ".package-lock.json").write_text(json.dumps({"packages": packages}))


def test_without_a_network_it_says_what_is_needed(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OperatorNeeded, match="ECONNREFUSED") as failure:
        node_io.ensure_node_modules()
    assert "check the network" in str(failure.value)
    assert "Installing" in capfd.readouterr().err


def test_what_is_installed_is_left_alone(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pretend_installed(checkout)
    node_io.ensure_node_modules(dev=True)
    assert capfd.readouterr().err == ""


def test_an_older_package_is_replaced(checkout: Path) -> None:
    pretend_installed(checkout, older="hono")
    with pytest.raises(OperatorNeeded, match="could not install"):
        node_io.ensure_node_modules()


def test_what_only_tests_need_is_not_asked_of_the_demo(checkout: Path) -> None:
    pretend_installed(checkout, older="@supabase/cli-linux-x64")
    node_io.ensure_node_modules()
    with pytest.raises(OperatorNeeded, match="could not install"):
        node_io.ensure_node_modules(dev=True)


def test_outside_a_checkout_it_says_so(checkout: Path) -> None:
    (checkout / "package-lock.json").unlink()
    with pytest.raises(OperatorNeeded, match="from a checkout"):
        node_io.ensure_node_modules()


def test_packages_are_pinned_and_name_no_registry() -> None:
    package = json.loads((node_io.ROOT / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    locked = json.loads((node_io.ROOT / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not [path for path, entry in locked.items() if "resolved" in entry]
    assert not [path for path, entry in locked.items() if path and "integrity" not in entry]
