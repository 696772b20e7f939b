"""The examples of docs/API.md can be run as they stand, and are answered as it says."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.local_cloud.api_page import PAGE, Example, examples
from tools.local_cloud.node_io import ROOT
from tools.local_cloud.process_io import CloudProcess

TIMEOUT_S = 120
EXAMPLES = examples(PAGE)
# As it is after an installation.
PREAMBLE = 'penstock() { python3 -m tools.command "$@"; }\n'

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="the examples need curl")


@pytest.fixture(scope="module")
def empty_cloud() -> Iterator[CloudProcess]:
    """One in which the first device has the number one."""
    with CloudProcess() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def outputs(empty_cloud: CloudProcess, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each example wrote."""
    done = run(empty_cloud, EXAMPLES, tmp_path_factory.mktemp("examples"))
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    return done.stdout.split("\0")[:-1]


def run(cloud: CloudProcess, scripts: list[Example], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run examples in one shell, which ends at the first that is refused; a zero byte follows each."""
    script = PREAMBLE + "printf '\\0'\n".join(example.script for example in [*scripts, Example("", "")])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SUPABASE_URL": cloud.url,
            "SUPABASE_PUBLISHABLE_KEY": cloud.publishable_key,
            "SUPABASE_SECRET_KEY": cloud.secret_key,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def shape(value: object) -> object:
    """Return the names in a value, without what changes from one run to the next."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(part) for part in value] if isinstance(value, list) else "a value"


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 15
    assert sum(bool(example.answer) for example in EXAMPLES) > 10


def test_every_example_is_answered_as_the_page_says(outputs: list[str]) -> None:
    assert len(outputs) == len(EXAMPLES)
    for example, output in zip(EXAMPLES, outputs, strict=True):
        if example.answer:
            assert shape(json.loads(output)) == shape(json.loads(example.answer)), example.script


def test_an_example_that_is_refused_is_noticed(empty_cloud: CloudProcess, tmp_path: Path) -> None:
    ask = next(example for example in EXAMPLES if "ask() {" in example.script).script.split("\n\n")[0]
    refused = Example(ask + '\nask "$SUPABASE_URL/rest/v1/devices"\n', "")
    assert run(empty_cloud, [refused], tmp_path).returncode != 0
