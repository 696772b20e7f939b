"""From the modules of a program to fewer and smaller ones that do the same.

Source in, source out; tools/firmware/release.py compiles it. Functions keep the names that a traceback says,
and nothing is assumed about objects: a method stays as long as anything in the program says its name.
"""

import ast
from collections.abc import Collection, Mapping

from hub.errors import OperatorNeeded
from tools.firmware.linker.constants import Constants, constants_of
from tools.firmware.linker.join import Joined
from tools.firmware.linker.program import Program
from tools.firmware.linker.split import Parts
from tools.firmware.linker.unused import is_needed, without_unused


def link(sources: Mapping[str, str], root: str, entry: str, by_name: Collection[str] = ()) -> dict[str, str]:
    """Return root, which loads all it imports at its top in parts, and the modules that are imported later.

    sources: every module by its dotted name. entry: the name in root that is called from outside.
    by_name: packages whose modules are imported by names that only a running program knows.
    Raises OperatorNeeded for what cannot be linked.
    """
    program = Program(sources)
    if root not in program or entry not in program[root].bindings:
        raise OperatorNeeded("there is nothing to start", where=root, hint=f"{root} has to have {entry}")
    joined = Joined(program, root)
    whole = joined.tree()
    constants = constants_of(whole)
    whole = constants.put_in(whole, {name: name for name in joined.origins})
    later = {
        name: _without_constants(joined.linked(program[name]), constants, root)
        for name in program.reached_later(joined.parts, by_name)
    }
    parts = Parts(without_unused(whole, later.values(), entry), root, joined.origins)
    for module in later.values():
        parts.point(module)
    linked = {root: parts.loader(entry), **parts.trees, **later}
    return {name: ast.unparse(tree) + "\n" for name, tree in linked.items()}


def _without_constants(tree: ast.Module, constants: Constants, root: str) -> ast.Module:
    """Return a module that imports from root without the constants that it has from there."""
    imported = {
        alias.asname or alias.name: alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == root
        for alias in statement.names
    }
    tree = constants.put_in(tree, imported)
    tree.body = [statement for statement in tree.body if is_needed(statement, tree)]
    return tree
