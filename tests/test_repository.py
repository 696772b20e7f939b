"""What is committed can be set up anywhere, is pinned, and stays readable."""

import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.layering import SAME_LIBRARY, imports, is_third_party, modules

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {".git", ".venv", ".cache", "node_modules", "build", "dist", "var", "__pycache__"}
SOURCE = {".py", ".mjs", ".js", ".ts", ".tsx", ".sql", ".sh", ".yml"}
SOURCE_LINES = 400
FOR_DEVELOPERS = ("tools.bench.", "tools.database_types", "tools.postgres17")  # run in the test environment

# Joined here, because this file is searched like any other.
REGISTRY_HOSTS = [
    ".".join(labels)
    for labels in (
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("jsr", "io"),
        ("deno", "land"),
    )
]
REGISTRY = re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS))
MACHINE_PATH = re.compile(r"(?<![\w.~}-])/(?:work|root|home/[a-z]\w*|Users/\w+)/")
TRACKER_REFERENCE = re.compile(r"\b(?:issue|ticket|PR|pull request) ?#?\d+\b", re.IGNORECASE)


def committed_files() -> list[Path]:
    if (ROOT / ".git").exists() and shutil.which("git"):
        question = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(question, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


def lines_matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    "pattern", [REGISTRY, MACHINE_PATH, TRACKER_REFERENCE], ids=["registry", "path", "tracker"]
)
def test_no_file_names(pattern: re.Pattern[str]) -> None:
    assert lines_matching(pattern, committed_files()) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, f"resolved: https://{REGISTRY_HOSTS[0]}/x.tgz"),
        (MACHINE_PATH, "see /" + "work/x"),
        (MACHINE_PATH, "file:///" + "root/x"),
        (TRACKER_REFERENCE, "fixes issue " + "#12"),
    ],
)
def test_sees_a_planted_line(pattern: re.Pattern[str], line: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text(f"first\n{line}\n")
    assert lines_matching(pattern, [planted]) == [f"planted.txt:2: {line}"]


def test_source_files_can_be_read_in_one_sitting() -> None:
    sources = [path for path in committed_files() if path.suffix in SOURCE]
    assert len(sources) > 20
    # What is generated is read where it comes from.
    texts = {path: path.read_text() for path in sources}
    written = {
        path: text for path, text in texts.items() if "Written by `make " not in text.split("\n", 1)[0]
    }
    lengths = {str(path.relative_to(ROOT)): len(text.splitlines()) for path, text in written.items()}
    assert {name: length for name, length in lengths.items() if length > SOURCE_LINES} == {}


@pytest.mark.parametrize("lock", ["requirements/demo.txt", "requirements/dev.txt"])
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(
        r"\n(?=\S)", re.sub(r"^#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).strip()
    )
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_test_environment_holds_the_demo_at_the_same_versions() -> None:
    assert pins("requirements/demo.txt").items() <= pins("requirements/dev.txt").items()


def test_locks_satisfy_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    for lock, group in (("requirements/demo.txt", "demo"), ("requirements/dev.txt", "dev")):
        found = pins(lock)
        for wanted in map(Requirement, project["project"]["dependencies"] + groups[group]):
            version = found.get(wanted.name.lower())
            assert version, f"{lock} lacks {wanted.name}: run `make lock`"
            assert wanted.specifier.contains(version), f"{lock} has {wanted.name} {version}: run `make lock`"


def test_what_runs_imports_only_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = {Requirement(line).name.lower() for line in project["project"]["dependencies"]}
    declared |= set(SAME_LIBRARY)
    distributions = packages_distributions()
    undeclared = {
        f"{module.path}:{line}: {target}"
        for module in modules(ROOT)
        if not module.name.startswith(FOR_DEVELOPERS)
        for line, target in imports(module)
        if is_third_party(target)
        and not declared
        & {name.lower().replace("_", "-") for name in distributions.get(target.split(".", maxsplit=1)[0], [])}
    }
    assert undeclared == set()


def test_every_node_package_is_pinned_with_a_hash_and_without_a_place() -> None:
    manifest = json.loads((ROOT / "package.json").read_text())
    for name, version in (manifest["dependencies"] | manifest["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", version), f"{name} {version}"
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert "resolved" not in package, name


def test_workflows_call_what_people_call() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = [
        target
        for path in (ROOT / ".github/workflows").glob("*.yml")
        for target in re.findall(r"run: make ([a-z]+)", path.read_text())
    ]
    assert called
    assert set(called) <= targets
    assert "make test" in (ROOT / ".ci/run").read_text()


def test_make_without_a_target_names_every_target() -> None:
    shown = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split():
        assert f"make {target} " in shown
