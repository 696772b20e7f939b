"""Which tests run: the long ones only with --soak; and in CI (CI=true) a skip is a failure."""

import os
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the tests marked soak")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _is_ci():
        report.outcome, report.longrepr = "failed", _objection(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and _is_ci():
        report.outcome, report.longrepr = "failed", _objection(report.longrepr)
    return report


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def _objection(skip: object) -> str:
    reason = skip[2] if isinstance(skip, tuple) else skip
    return f"nothing may be skipped in CI: {reason}"
