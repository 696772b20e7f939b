"""Puts constants where they are used, so that their names need no memory."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from tools.firmware.linker.scopes import TopNames, Use, bound_by

_INTERNED_LENGTH = 10  # a text that short is stored once for the whole program, however often it is said
_Constant = ast.Constant | ast.Tuple | ast.UnaryOp  # the last for negative numbers: (-2) ** 2
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_Tree = TypeVar("_Tree", bound=ast.AST)


class Constants(NamedTuple):
    """values: of names at the top of a module. members: of its classes, by class and name."""

    values: dict[str, _Constant]
    members: dict[tuple[str, str], _Constant]

    def put_in(self, tree: _Tree, names: Mapping[str, str]) -> _Tree:
        """Return tree with constants in their places. names: what the names at its top mean here."""

        # MicroPython copies what stands in f"{}" as text, and takes the colon of a text there for its own.
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        left_alone = {node for text in texts for node in ast.walk(text)}

        def exchanged(node: Use, name: str) -> ast.expr | None:
            if not isinstance(node.ctx, ast.Load) or name not in names or node in left_alone:
                return None
            if isinstance(node, ast.Attribute):
                return self.members.get((names[name], node.attr))
            return self.values.get(names[name])

        found: _Tree = ast.fix_missing_locations(TopNames(exchanged).visit(tree))
        return found


def constants_of(tree: ast.Module, others: Iterable[ast.Module]) -> Constants:
    """Find the constants of a module, and put them into each other. others: all that import from it."""
    tree.body = [each for statement in tree.body for each in _single(statement)]
    stores, loads = _counted(tree)
    names = {name: name for name in stores}
    found = Constants({}, {})
    set_later = {name for each in (tree, *others) for name in _set_attributes(each)}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            statement.value = found.put_in(statement.value, names)
            name, value = _target(statement), _value(statement.value)
            if name and value and stores[name] == 1 and _is_inlined(value, loads[name]):
                found.values[name] = value
        elif isinstance(statement, ast.ClassDef):
            members = _own_members(statement, found, names)
            if stores[statement.name] == 1 and not statement.decorator_list:
                found.members.update(
                    ((statement.name, name), members[name]) for name in members.keys() - set_later
                )
    return found


def _own_members(node: ast.ClassDef, found: Constants, names: Mapping[str, str]) -> dict[str, _Constant]:
    stores = Counter(name for member in node.body for name in bound_by(member))
    outside = {name: name for name in names if name not in stores}
    members: dict[str, _Constant] = {}
    for member in node.body:
        if isinstance(member, ast.Assign):
            member.value = found.put_in(member.value, outside)
            name, value = _target(member), _value(member.value)
            if name and value and stores[name] == 1 and _is_inlined(value, 2):
                members[name] = value
    return members


def _set_attributes(tree: ast.Module) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    }


def _single(statement: ast.stmt) -> list[ast.stmt]:
    """Return `a, b = 1, 2` as two statements."""
    if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)):
        return [statement]
    targets, values = statement.targets[0].elts, statement.value
    if len(statement.targets) > 1 or not isinstance(values, ast.Tuple) or len(values.elts) != len(targets):
        return [statement]
    if not all(isinstance(target, ast.Name) for target in targets) or not all(map(_value, values.elts)):
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
        if isinstance(statement, _NAMED):  # the names of what is assigned are uses, and were seen
            stores.update(bound_by(statement))
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
        try:
            found = eval(compile(ast.Expression(node), "constant", "eval"))
            return ast.UnaryOp(ast.USub(), ast.Constant(-found)) if found < 0 else ast.Constant(found)
        except (ArithmeticError, TypeError, ValueError):  # told where it is loaded
            return None
    return None


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop)


def _is_inlined(value: _Constant, uses: int) -> bool:
    if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
        return uses == 1 or len(value.value) <= _INTERNED_LENGTH
    return uses == 1 or not isinstance(value, ast.Tuple)
