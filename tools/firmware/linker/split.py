"""Divides what was joined into parts that are loaded one after the other.

MicroPython holds a module twice while it is loaded, and what is given back leaves holes among what stays.
Small parts, with a collection behind each, fill the holes of the one before.
"""

import ast
from collections.abc import Mapping

from tools.firmware.linker.program import defined_by
from tools.firmware.linker.scopes import TopNames, Use

PART_LENGTH = 8000  # of source text: some 4 kB of bytecode


class Parts:
    """One module in parts. trees: by their names, each behind those that it imports from.

    origins: the module each name at the top of tree comes from; what comes from one stays together.
    """

    def __init__(
        self, tree: ast.Module, root: str, origins: Mapping[str, str], length: int = PART_LENGTH
    ) -> None:
        self.trees: dict[str, ast.Module] = {}
        self._root = root
        self._homes: dict[str, str] = {}
        self._outside: dict[str, ast.stmt] = {}
        self._divide(tree, origins, length)
        for name, part in self.trees.items():
            part.body[:0] = self._imports(name, part)

    def point(self, tree: ast.Module) -> None:
        """Let what tree imports from the undivided module come from the parts."""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == self._root:
                node.module = self._homes[node.names[0].name]

    def loader(self, called: str, entry: str) -> ast.Module:
        """Return the root: it loads the parts in order, and has what is called so there as entry."""
        lines = ["import gc"]
        for name in self.trees:
            lines += [f"import {name}", "gc.collect()"]
        lines.append(f"from {self._homes[called]} import {called} as {entry}")
        return ast.parse("\n".join(lines))

    def _divide(self, tree: ast.Module, origins: Mapping[str, str], length: int) -> None:
        name, room, origin = "", 0, ""
        for statement in tree.body:
            bound = _bound(statement)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._outside.update((each, statement) for each in bound)
                continue
            before, origin = origin, origins.get(bound[0], origin) if bound else origin
            if not name or (origin != before and room <= 0):
                name, room = f"{self._root}_{len(self.trees) + 1}", length
                self.trees[name] = ast.Module([], [])
            self.trees[name].body.append(statement)
            room -= len(ast.unparse(statement))
            self._homes.update((each, name) for each in bound)

    def _imports(self, name: str, part: ast.Module) -> list[ast.stmt]:
        said: set[str] = set()

        def note(_node: Use, used: str) -> None:
            said.add(used)

        TopNames(note).visit(part)
        outside = {
            id(self._outside[used]): self._outside[used] for used in sorted(said & self._outside.keys())
        }
        return [
            *outside.values(),
            *[
                ast.ImportFrom(self._homes[used], [ast.alias(used)], 0)
                for used in sorted(said & self._homes.keys())
                if self._homes[used] != name
            ],
        ]


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    return defined_by(statement)
