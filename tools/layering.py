"""Who may import whom: the grammar of file names, held by reading the source.

    python -m tools.layering [ROOT]     print every violation; exit code 1 when there is one

In hub/ a folder is a feature, and a file's name says what it may do:
    <noun>.py            decides: pure stdlib, codecs, shared_schema, hub.errors, hub.ports, own nouns
    service.py           waits, decides, acts: the above, asyncio and logging
    <technology>_io.py   adapts: the standard library, one driver library, own nouns
Features meet only in app.py, which builds them; site.py turns the configuration into settings, and run.py
starts and ends them. These three, config*.py and __main__.py stand outside the grammar.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hub", "shared_schema", "tools")
# fmt: off
PURE = frozenset({
    "__future__", "abc", "array", "base64", "binascii", "bisect", "collections", "contextlib",
    "copy", "dataclasses", "datetime", "decimal", "email", "enum", "fractions", "functools",
    "hashlib", "heapq", "hmac", "itertools", "json", "math", "operator", "random", "re",
    "statistics", "string", "struct", "sys", "textwrap", "types", "typing", "urllib.parse", "zlib",
})
# fmt: on
SAME_LIBRARY = {"multidict": "aiohttp", "yarl": "aiohttp"}  # parts of another library's interface
CODECS = frozenset({"orjson", "zstandard"})  # bytes in, bytes out, as json and zlib, only faster
ON_A_BOARD = frozenset(
    {"binascii", "hashlib", "micropython", "struct"}
)  # what boards have, and travels needs
MICROPYTHON = frozenset({"ffi", "machine", "network", "vfs"})  # of the interpreter, where it is that one
CLOCKS = frozenset({"now", "today", "utcnow"})
SAYS_NOTHING = frozenset({"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"})
FUNCTION_LINES = 50
OUTSIDE_THE_GRAMMAR = ("__main__", "app", "run", "site", "config")  # and config_<noun>


class Violation(NamedTuple):
    """One broken rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


class Module(NamedTuple):
    """One source file. name: dotted, from the root. path: from the root. features: all folders of hub."""

    name: str
    path: Path
    tree: ast.Module
    features: frozenset[str]

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.name.split(".", maxsplit=1)[0]

    @property
    def folder(self) -> str:
        """The dotted name of the folder."""
        return ".".join(self.path.parent.parts)

    @property
    def role(self) -> str:
        """noun, service or adapter; empty where the grammar does not hold."""
        return _role(self.path.stem) if self.package == "hub" else ""


def violations(root: Path) -> list[Violation]:
    """Return everything below root that breaks a rule."""
    found: list[Violation] = []
    for module in modules(root):
        found += _about_the_file(module)
        found += _about_sizes(module)
        for line, target in imports(module):
            found += [Violation(str(module.path), line, rule) for rule in _about_import(module, target)]
        found += _about_drivers(module)
    return sorted([*found, *_missing_init_files(root)])


def modules(root: Path) -> Iterator[Module]:
    """Yield every source file of the packages below root."""
    features = frozenset(path.parent.name for path in (root / "hub").glob("*/*.py"))
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        inside = path.relative_to(root)
        name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
        yield Module(name, inside, ast.parse(path.read_text(), filename=str(inside)), features)


def _role(stem: str) -> str:
    if stem == "__init__" or stem in OUTSIDE_THE_GRAMMAR or stem.startswith("config_"):
        return ""
    if stem.endswith("_io"):
        return "adapter"
    return "service" if stem == "service" or stem.endswith("_service") else "noun"


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and dotted target of every import; relative ones begin with a dot."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, target) for target in _targets(node))


def _targets(node: ast.ImportFrom) -> list[str]:
    source = "." * node.level + (node.module or "")
    # "from hub import app" imports hub.app; "from hub.errors import TryAgain" imports hub.errors
    deeper = source in PACKAGES or source == "urllib" or source.startswith("hub.")
    return [f"{source}.{alias.name}" for alias in node.names] if deeper else [source]


def _about_import(module: Module, target: str) -> Iterator[str]:
    if target.startswith("."):
        yield f"imports {target}: imports are absolute"
    elif _is_below(target, "tests"):
        yield f"imports {target}: what runs does not know its tests"
    elif module.package == "shared_schema":
        if not _is_below(target, "shared_schema") and target not in ON_A_BOARD:
            yield f"shared_schema imports {target}, which a board does not have"
    elif module.package == "hub":
        yield from _about_hub_import(module, target)


def _about_hub_import(module: Module, target: str) -> Iterator[str]:
    if _is_below(target, "tools"):
        yield f"hub imports {target}: tools may know hub, not the other way round"
    elif not module.role:
        return
    elif _is_below(target, "hub"):
        yield from _about_neighbour(module, target)
    elif module.role != "adapter" and not _is_below(target, "shared_schema"):
        allowed = PURE | CODECS | ({"asyncio", "logging"} if module.role == "service" else set())
        if not any(_is_below(target, name) for name in allowed):
            yield f"a {module.role} imports {target}: that belongs into an _io.py"


def _about_neighbour(module: Module, target: str) -> Iterator[str]:
    if _is_below(target, "hub.errors") or _is_below(target, "hub.ports"):
        return
    neighbour = target.removeprefix(f"{module.folder}.").split(".")[0]
    role = _role(neighbour)
    if not _is_below(target, module.folder) or (module.folder == "hub" and neighbour in module.features):
        yield f"{module.folder} imports {target}: features meet only in app.py, through hub.ports"
    elif not role:
        yield f"imports {target}: what is needed is handed in by app.py, as plain values"
    elif module.role == "noun" and role != "noun":
        yield f"a noun imports the {role} {target}: decisions do not act"
    elif {module.role, role} == {"service", "adapter"}:
        yield f"the {module.role} imports the {role} {target}: app.py brings them together"


def _about_drivers(module: Module) -> Iterator[Violation]:
    third_party = [(line, target.split(".")[0]) for line, target in imports(module) if is_third_party(target)]
    drivers = {SAME_LIBRARY.get(name, name): line for line, name in third_party}
    if module.role == "adapter" and len(drivers) > 1:
        names = ", ".join(sorted(drivers))
        yield Violation(
            str(module.path), max(drivers.values()), f"an adapter has one driver library, not {names}"
        )


def is_third_party(target: str) -> bool:
    """Return True when target is neither ours nor of the standard library."""
    top = target.split(".", maxsplit=1)[0]
    return (
        bool(top)
        and top not in sys.stdlib_module_names
        and top not in CODECS | MICROPYTHON | {*PACKAGES, "firmware"}
    )


def _about_the_file(module: Module) -> Iterator[Violation]:
    path = str(module.path)
    if SAYS_NOTHING & set(module.path.stem.split("_")):
        yield Violation(path, 1, f"{module.path.stem} says nothing about what is inside: name the noun")
    if module.path.stem == "__init__" and len(module.tree.body) != 1:
        yield Violation(path, 1, "an __init__.py holds one docstring and nothing else")
    if module.role == "noun":
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in CLOCKS
            ):
                yield Violation(path, node.lineno, f"a noun calls {node.func.attr}(): the time is handed in")


def _about_sizes(module: Module) -> Iterator[Violation]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield Violation(
                    str(module.path),
                    node.lineno,
                    f"{node.name} has {lines} lines; {FUNCTION_LINES} is the most",
                )


def _missing_init_files(root: Path) -> Iterator[Violation]:
    folders = {path.parent for package in PACKAGES for path in (root / package).rglob("*.py")}
    for folder in folders:
        if not (folder / "__init__.py").exists():
            yield Violation(str(folder.relative_to(root)), 1, "a package folder has an __init__.py")


def _is_below(target: str, name: str) -> bool:
    return target == name or target.startswith(f"{name}.")


def main(arguments: list[str]) -> int:
    """Print every violation below the folder named, or below this repository."""
    found = violations(Path(arguments[0]) if arguments else ROOT)
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
