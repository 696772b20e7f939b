"""Nothing is put in another place, or taken away, that a running program changes or needs."""

from pathlib import Path

import pytest

from tests.tools.firmware.programs import modules, same
from tools.firmware.linker.link import link

PROGRAMS = {
    "a negative constant is raised to a power": """
# a
X, Y = -5, -0.5
# main
from a import X, Y
def run():
    return X**2, Y**2, -X, X.__abs__()
""",
    "a class's constant hides one of the top": """
# main
X = 5
class A:
    X = 1
    Y = X + 1
def run():
    return A.X, A.Y, X
""",
    "a class counts": """
# main
class A:
    total = 0
    def more(self):
        type(self).total += 1
def run():
    A.total += 1
    A().more()
    return A.total
""",
    "a class is changed by a module that is imported later": """
# a
class A:
    total = 0
# late.b
from a import A
def change():
    A.total = 7
# main
from a import A
def run():
    from late.b import change
    change()
    return A.total
""",
    "a class binds a name twice": """
# main
import sys
class A:
    X = 1
    X = len('ab')
    Y = 1
    if sys:
        Y = 2
def run():
    return A.X, A.Y
""",
    "a class is exchanged": """
# main
def other(cls):
    return B
class B:
    X = 2
@other
class A:
    X = 1
class C:
    X = 3
C = A
def run():
    return A.X, C.X
""",
    "constants are exchanged": """
# main
A, B = 1, 2
A, B = B, A
C, *D = 3, 4
def run():
    return A, B, C, D
""",
    "what is only added to": """
# main
count = 0
count += 1
class A:
    n = 0
    n += 1
    def f(self):
        self.total += 1
    total = 0
def run():
    A().f()
""",
    "what is only deleted": """
# main
spare = [1]
del spare
def run():
    return 1
""",
    "a property that is only set": """
# main
class A:
    @property
    def x(self):
        return 1
    @x.setter
    def x(self, value):
        self.y = value
def run():
    a = A()
    a.x = 5
    return a.y
""",
    "an unused name whose making does something": """
# a
seen = []
def note(x):
    seen.append(x)
_once = note(1)
# main
from a import seen
def run():
    return seen
""",
    "a decorator that registers": """
# a
found = {}
def named(name):
    def note(function):
        found[name] = function
        return function
    return note
@named('x')
def of_x():
    return 3
# main
from a import found
def run():
    return found['x']()
""",
    "a body with nothing in it": """
# main
def run():
    try:
        1 / 0
    except ZeroDivisionError:
        ...
    for _ in 'ab':
        'this and that'
    return 1
""",
    "a class in a class": """
# main
class A:
    class B:
        def f(self):
            return 1
def run():
    return A.B().f()
""",
}


@pytest.mark.parametrize("listing", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_does_the_same_where(listing: str, tmp_path: Path) -> None:
    same(tmp_path, modules(listing))


def test_a_text_in_an_f_string_is_not_put_into_it(tmp_path: Path) -> None:
    listing = "# a\nX = 'a:b'\n# main\nfrom a import X\ndef run():\n    return f'{X}|{X}'"
    assert "'{X}|{X}'" in same(tmp_path, modules(listing))["main_1"]


def test_a_constant_that_cannot_be_worked_out_is_left_to_who_loads_it() -> None:
    linked = link(modules("# main\nX = 1 // 0\nY = 1 << -1\ndef run():\n    return X, Y"), "main", "run")
    assert "1 // 0" in linked["main_1"]
