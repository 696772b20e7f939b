"""Puts constants where they are used, so that their names need no memory."""

import ast
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from tools.firmware.linker.scopes import TopNames, Use

_INTERNED_LENGTH = 10  # a text that short is stored once for the whole program, however often it is said
_Constant = ast.Constant | ast.Tuple
_Tree = TypeVar("_Tree", bound=ast.AST)


class Constants(NamedTuple):
    """values: of names at the top of a module. members: of its classes, by class and name."""

    values: dict[str, _Constant]
    members: dict[tuple[str, str], _Constant]

    def put_in(self, tree: _Tree, names: Mapping[str, str]) -> _Tree:
        """Return tree with constants in their places. names: what the names at its top mean here."""

        def exchanged(node: Use, name: str) -> ast.expr | None:
            if not isinstance(node.ctx, ast.Load) or name not in names:
                return None
            if isinstance(node, ast.Attribute):
                return self.members.get((names[name], node.attr))
            return self.values.get(names[name])

        found: _Tree = ast.fix_missing_locations(TopNames(exchanged).visit(tree))
        return found


def constants_of(tree: ast.Module) -> Constants:
    """Find the constants of a module, and put them into each other."""
    tree.body = [each for statement in tree.body for each in _single(statement)]
    stores, loads = _counted(tree)
    names = {name: name for name in stores}
    found = Constants({}, {})
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            statement.value = found.put_in(statement.value, names)
            name, value = _target(statement), _value(statement.value)
            if name and value and stores[name] == 1 and _is_inlined(value, loads[name]):
                found.values[name] = value
        elif isinstance(statement, ast.ClassDef):
            _add_members(statement, found, names)
    return found


def _add_members(node: ast.ClassDef, found: Constants, names: Mapping[str, str]) -> None:
    for member in node.body:
        if isinstance(member, ast.Assign):
            member.value = found.put_in(member.value, names)
            name, value = _target(member), _value(member.value)
            if name and isinstance(value, ast.Constant) and _is_inlined(value, 2):
                found.members[node.name, name] = value


def _single(statement: ast.stmt) -> list[ast.stmt]:
    """Return `a, b = 1, 2` as two statements."""
    if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)):
        return [statement]
    targets, values = statement.targets[0].elts, statement.value
    if len(statement.targets) > 1 or not isinstance(values, ast.Tuple) or len(values.elts) != len(targets):
        return [statement]
    return [ast.Assign([target], value) for target, value in zip(targets, values.elts, strict=True)]


def _counted(tree: ast.Module) -> tuple[Counter[str], Counter[str]]:
    """Return how often each name at the top is bound, and how often it is said."""
    stores: Counter[str] = Counter()
    loads: Counter[str] = Counter()

    def seen(node: Use, name: str) -> None:
        if isinstance(node, ast.Name):
            (loads if isinstance(node.ctx, ast.Load) else stores)[name] += 1

    TopNames(seen).visit(tree)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stores[statement.name] += 1
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            stores.update(alias.asname or alias.name for alias in statement.names)
    return stores, loads


def _target(statement: ast.Assign) -> str | None:
    target = statement.targets[0]
    return target.id if len(statement.targets) == 1 and isinstance(target, ast.Name) else None


def _value(node: ast.expr) -> _Constant | None:
    """Return what an expression of constants comes to, None when it is not all constant."""
    if isinstance(node, ast.Constant):
        return node
    if isinstance(node, ast.Tuple):
        values = [_value(each) for each in node.elts]
        return ast.Tuple([each for each in values if each], ast.Load()) if all(values) else None
    if isinstance(node, ast.BinOp | ast.UnaryOp) and all(_is_number(child) for child in ast.walk(node)):
        return ast.Constant(eval(compile(ast.Expression(node), "constant", "eval")))
    return None


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop)


def _is_inlined(value: _Constant, uses: int) -> bool:
    if isinstance(value, ast.Tuple) or (
        isinstance(value.value, str | bytes) and len(value.value) > _INTERNED_LENGTH
    ):
        return uses == 1
    return True
