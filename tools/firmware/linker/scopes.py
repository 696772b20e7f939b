"""Which names in a module mean what stands at its top, by Python's rules of scope."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Use = ast.Name | ast.Attribute
Exchange = Callable[[Use, str], ast.expr | None]


class TopNames(ast.NodeTransformer):
    """Passes each use of a name that no function or class in between binds to exchange.

    exchange: takes the node and the name, returns what shall stand there, or None to leave it. A
    `module.attribute` is offered as a whole first, with the name of the module.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._scopes: list[set[str]] = []  # what functions around bind
        self._members: set[str] = set()  # what a class has bound so far; functions in it do not see that

    def _name(self, node: ast.Name) -> ast.AST:
        return self._replaced(node, node.id) or node

    def _attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            found = self._replaced(node, node.value.id)
            if found is not None:
                return found
        return self.generic_visit(node)

    def _lambda(self, node: ast.Lambda) -> ast.AST:
        self._defaults(node)
        with self._inside(bound_in(node)):
            node.body = self.visit(node.body)
        return node

    def _class(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        around, self._members = self._members, set()
        for statement in node.body:
            self._member(statement)
        self._members = around
        return node

    def _member(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            statement.value = self.visit(statement.value)  # `size = size`: what stands at the top
            self._members |= bound_by(statement)
            statement.targets = [self.visit(each) for each in statement.targets]
            return
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._members |= bound_by(statement)
        self.visit(statement)
        self._members |= bound_by(statement)

    def _comprehension(self, node: Comprehension) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # evaluated outside
        outside, first.iter = first.iter, ast.Constant(None)
        with self._inside(_stored(node)):
            self.generic_visit(node)
        first.iter = outside
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        self._defaults(node)
        with self._inside(bound_in(node)):
            node.body = [self.visit(statement) for statement in node.body]
        return node

    @contextmanager
    def _inside(self, names: set[str]) -> Iterator[None]:
        around, self._members = self._members, set()
        self._scopes.append(names)
        yield
        self._scopes.pop()
        self._members = around

    def _defaults(self, node: Function) -> None:
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        node.args.kw_defaults = [each and self.visit(each) for each in node.args.kw_defaults]

    def _replaced(self, node: Use, name: str) -> ast.expr | None:
        if name in self._members or any(name in scope for scope in self._scopes):
            return None
        return self._exchange(node, name)

    visit_Name = _name
    visit_Attribute = _attribute
    visit_Lambda = _lambda
    visit_ClassDef = _class
    visit_FunctionDef = visit_AsyncFunctionDef = _function
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def bound_in(function: Function) -> set[str]:
    """Return the names that are a function's own."""
    arguments = function.args
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    names = {each.arg for each in every if each is not None}
    if isinstance(function, ast.Lambda):
        return names
    found = names.union(*[bound_by(statement) for statement in function.body])
    return found - {
        name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names
    }


def bound_inside(tree: ast.Module) -> set[str]:
    """Return the names that anything inside a module binds for itself."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found |= bound_in(node)
        elif isinstance(node, Comprehension):
            found |= _stored(node)
        elif isinstance(node, ast.ClassDef):
            found |= set().union(*[bound_by(statement) for statement in node.body])
    return found


def bound_by(node: ast.AST) -> set[str]:
    """Return the names that a node binds in the scope it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Lambda):
        return set()
    if isinstance(node, Comprehension):  # only `:=` goes beyond it
        return set().union(
            *[bound_by(each.target) for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        )
    names: set[str] = set()
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        names.add(node.id)
    if isinstance(node, ast.alias):
        names.add(node.asname or node.name.split(".")[0])
    if isinstance(node, ast.ExceptHandler) and node.name:
        names.add(node.name)
    return names.union(*[bound_by(child) for child in ast.iter_child_nodes(node)])


def _stored(node: Comprehension) -> set[str]:
    return set().union(*[bound_by(generator.target) for generator in node.generators])
