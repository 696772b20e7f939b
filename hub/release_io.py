"""Which release of Penstock this is."""

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """Return the version of the installed package; "source" where it runs without having been installed."""
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "source"
