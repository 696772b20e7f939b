"""A linked program does what its modules did, with fewer names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import OperatorNeeded
from tests.tools.firmware.programs import same, text
from tools.firmware.linker.link import link


def test_names_that_two_modules_have_stay_apart(tmp_path: Path) -> None:
    linked = same(
        tmp_path,
        {
            "a": "def _own():\n    return 'a'\n\ndef f():\n    return _own()\n",
            "b": "from a import f as g\n\ndef _own():\n    return 'b'\n\ndef f():\n    return g() + _own()\n",
            "main": "from a import f\nfrom b import f as other\n\ndef run():\n    return f(), other()\n",
        },
    )
    assert "main_1" in linked
    assert not {"a", "b"} & linked.keys()


def test_what_a_function_calls_its_own_is_left_alone(tmp_path: Path) -> None:
    same(
        tmp_path,
        {
            "a": "SIZE = 3\ndef size():\n    return SIZE\n",
            "main": (
                "from a import SIZE, size\n"
                "class Box:\n"
                "    size = SIZE * 2\n"
                "    def of(self, SIZE=SIZE):\n"
                "        return SIZE, size(), [size for size in range(SIZE)], (lambda size: size)(9)\n"
                "def run():\n"
                "    def inner():\n"
                "        SIZE = 5\n"
                "        return [SIZE for SIZE in (SIZE, 8)]\n"
                "    return Box().of(), Box.size, inner(), [SIZE for SIZE in range(SIZE)]\n"
            ),
        },
    )


def test_a_name_of_python_itself_is_not_taken_away_from_others(tmp_path: Path) -> None:
    same(
        tmp_path,
        {
            "a": "def open(path):\n    return 'mine ' + path\n\nprint = len\n",
            "main": (
                "from a import open as mine, print as size\n"
                "def run():\n"
                "    return mine('x'), size('four'), open is mine, print is size\n"
            ),
        },
    )


def test_constants_stand_where_they_are_used(tmp_path: Path) -> None:
    linked = same(
        tmp_path,
        {
            "a": (
                "class Level:\n    LOW = 1\n    HIGH = 2\n    NAMES = ('low', 'high')\n"
                "FIRST, SECOND = 10, 20\nSUM = FIRST + 2**SECOND\nONCE = (1, 2, 3)\nLONG = 'more than ten'\n"
                "counter = 0\n"
            ),
            "main": (
                "from a import *\n"
                "def run(level=Level.LOW):\n"
                "    return level, Level.HIGH, Level.NAMES[0], SUM, ONCE, LONG, LONG + 'x', SECOND\n"
            ),
        },
    )
    for name in ("LOW", "FIRST", "SECOND", "SUM", "ONCE", "counter"):
        assert name not in text(linked)
    assert text(linked).count("more than ten") == 1


def test_a_name_that_is_bound_twice_is_no_constant(tmp_path: Path) -> None:
    same(tmp_path, {"main": "A = 1\nB = A\nA = 2\ndef run():\n    return A, B\n"})


def test_what_nobody_says_is_gone_and_what_somebody_may_say_is_not(tmp_path: Path) -> None:
    linked = same(
        tmp_path,
        {
            "a": (
                "class Thing:\n"
                "    def used(self):\n        return self.also()\n"
                "    def also(self):\n        return 1\n"
                "    def by_text(self):\n        return 2\n"
                "    def idle_method(self):\n        return idle_function()\n"
                "    def __len__(self):\n        return 7\n"
                "def idle_function():\n    return 3\n"
                "class IdleClass(Thing):\n    pass\n"
            ),
            "main": (
                "from a import Thing\n"
                "def run():\n    return Thing().used(), getattr(Thing(), 'by_text')(), len(Thing())\n"
            ),
        },
    )
    for name in ("idle_method", "idle_function", "IdleClass"):
        assert name not in text(linked)


def test_a_statement_that_does_something_stays(tmp_path: Path) -> None:
    same(
        tmp_path,
        {"a": "seen = []\nseen.append(1)\n", "main": "from a import seen\ndef run():\n    return seen\n"},
    )


def test_modules_imported_later_use_what_is_there_and_are_found_by_name(tmp_path: Path) -> None:
    linked = same(
        tmp_path,
        {
            "pack.a": (
                "LIMIT = 4\nclass Kind:\n    X = 1\n    Y = 'a text of some length'\n"
                "def f(x):\n    return x + LIMIT\n"
            ),
            "late.b": (
                "from pack import a\nfrom pack.a import Kind as K\n"
                "def g():\n    return a.f(a.LIMIT), K.X, K.Y\n"
            ),
            "late.spare": "from late import b\ndef h():\n    return b.g()\n",
            "apart.c": "def unreachable():\n    return 0\n",
            "inner": (
                "from pack.a import f\ndef i():\n    from pack.a import LIMIT as most\n    return f(most)\n"
            ),
            "main": (
                "from pack import a\n"
                "def run():\n"
                "    from inner import i\n"
                "    module = __import__('late.' + 'spare', None, None, ('*',))\n"
                "    return module.h(), i(), a.f(1)\n"
            ),
        },
        by_name=("late",),
    )
    assert {"late.b", "late.spare", "inner"} <= linked.keys()
    assert "apart.c" not in linked


@pytest.mark.parametrize(
    ("sources", "what"),
    [
        ({"main": "from a import b\ndef run(): return b\n", "a": ""}, "a has no b"),
        ({"main": "x = 1\n"}, "nothing to start"),
        ({"main": "def run():\n    return nowhere\n"}, "nowhere is defined nowhere"),
        ({"main": "from a import x\ndef run(): x\n", "a": "from main import run\nx = run\n"}, "go round"),
        ({"main": "from . import a\ndef run(): pass\n", "a": ""}, "relative imports"),
        ({"main": "from p import a\ndef run(): return a\n", "p.a": "x = 1\n"}, "only be used as a.some"),
        ({"main": "x = 0\ndef run():\n    global x\n    x = 1\n"}, "global names"),
    ],
)  # fmt: skip
def test_what_cannot_be_linked_is_told(sources: dict[str, str], what: str) -> None:
    with pytest.raises(OperatorNeeded, match=what):
        link(sources, "main", "run")


names = st.sampled_from(["a", "b", "len", "X"])


@st.composite
def programs(draw: st.DrawFn) -> dict[str, str]:
    """Draw modules of functions that call each other, under names that clash."""
    modules: dict[str, str] = {}
    for number in range(draw(st.integers(1, 4))):
        lines, known = [], ["abs"]
        for other, source in modules.items():
            for name in sorted(draw(st.sets(names, max_size=2))):
                if f"def {name}(" in source:
                    lines.append(f"from {other} import {name} as {name}_{other}")
                    known.append(f"{name}_{other}")
        for name in sorted(draw(st.sets(names, min_size=1))):
            called = draw(st.sampled_from(known))
            local = draw(names.filter(lambda found, called=called: found != called))
            lines += [
                f"def {name}(x=2, {local}_=1):",
                f"    {local} = x + 1",
                f"    return {local} + {called}(x)",
            ]
            known.append(name)
        modules[f"m{number}"] = "\n".join(lines) + "\n"
    last = list(modules)[-1]
    found = [line[4:].split("(")[0] for line in modules[last].splitlines() if line.startswith("def ")]
    calls = ", ".join(f"{name}_(3)" for name in found)
    imports = "".join(f"from {last} import {name} as {name}_\n" for name in found)
    return {**modules, "main": f"{imports}def run():\n    return [{calls}]\n"}


@given(programs())
def test_any_program_does_the_same_when_it_is_linked(
    tmp_path_factory: pytest.TempPathFactory, modules: dict[str, str]
) -> None:
    same(tmp_path_factory.mktemp("programs"), modules)
