"""How Hypothesis searches: without a stopwatch; the same every time in CI; long with --soak."""

import os

import pytest
from hypothesis import settings

SOAK_EXAMPLES = 5000


def pytest_configure(config: pytest.Config) -> None:
    # A deadline per example would measure what else the machine does.
    settings.register_profile("desk", deadline=None)
    settings.register_profile("ci", deadline=None, derandomize=True, database=None)
    settings.register_profile("soak", deadline=None, max_examples=SOAK_EXAMPLES, print_blob=True)
    settings.load_profile("soak" if config.getoption("--soak") else _everyday())


def _everyday() -> str:
    return "ci" if os.environ.get("CI", "").lower() in {"1", "true"} else "desk"
