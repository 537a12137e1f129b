"""Every SQL statement of the functions and the layer, found in their source and put together as they put it together."""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, LiteralString, cast, get_args
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, Order, select_page
from tests.support.imports import Module, function_folders, layer

_EXECUTE = {"one", "all", "run", "run_many"}
# It puts together what its callers give it, and is run with what each of them gives.
_GENERIC = {"penguinmails.keyset", "penguinmails.db"}
Scope = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Statement:
    """One statement with `%(name)s` parameters and where it comes from."""

    text: str
    place: str
    folder: str


class NotLiteral(Exception):
    """A statement that cannot be told from the source, because it is not made of literals."""


@dataclass
class _Recorder:
    """Stands in for a transaction and keeps what it is told to run."""

    texts: list[str] = field(default_factory=list[str])

    def one(self, statement: str, params: Any, row: Any = None) -> int:
        self.texts.append(statement)
        return 0

    def all(self, statement: str, params: Any, row: Any = None) -> list[Any]:
        self.texts.append(statement)
        return []


def statements() -> list[Statement]:
    """All of them; raises NotLiteral for one that is made of anything but literals and constants."""
    deployed = [*layer(), *(module for folder in function_folders().values() for module in folder)]
    return [statement for module in deployed if module.name not in _GENERIC for statement in _of_module(module)]


def _of_module(module: Module) -> Iterator[Statement]:
    tree = ast.parse(module.file.read_text())
    for scope in (node for node in ast.walk(tree) if isinstance(node, Scope)):
        for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call)):
            place = f"{module.path}:{call.lineno}"
            for text in _texts(module, scope, call, place):
                yield Statement(text, place, module.package)


def _texts(module: Module, scope: Scope, call: ast.Call, place: str) -> list[str]:
    if isinstance(call.func, ast.Name) and call.func.id == "select_page":
        return _page(module, scope, call, place)
    if _runs_sql(scope, call):
        return _values(call.args[0], module, scope, place)
    return []


def _runs_sql(scope: Scope, call: ast.Call) -> bool:
    function = call.func
    if not (isinstance(function, ast.Attribute) and function.attr in _EXECUTE and len(call.args) >= 2):
        return False
    receiver = ast.unparse(function.value)
    return receiver == "tx" or receiver.endswith(".tx") or receiver in _transactions(scope)


def _transactions(scope: Scope) -> set[str]:
    """Names that `with ...transaction(...) as name` and parameters of type Tx bind."""
    found = {
        a.arg for a in [*scope.args.args, *scope.args.kwonlyargs] if a.annotation and ast.unparse(a.annotation) == "Tx"
    }
    for node in ast.walk(scope):
        if isinstance(node, ast.With):
            found |= {
                ast.unparse(item.optional_vars)
                for item in node.items
                if item.optional_vars is not None and "transaction(" in ast.unparse(item.context_expr)
            }
    return found


def _values(node: ast.expr, module: Module, scope: Scope, place: str) -> list[str]:
    """Every text that an expression may have."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_values(side, module, scope, place) for side in (node.left, node.right))
        return [a + b for a, b in product(left, right)]
    if isinstance(node, ast.IfExp):
        return [*_values(node.body, module, scope, place), *_values(node.orelse, module, scope, place)]
    if isinstance(node, ast.Name):
        assigned = _assigned(scope, node.id)
        if assigned:
            return [text for value in assigned for text in _values(value, module, scope, place)]
        constant = getattr(importlib.import_module(module.name), node.id, None)
        if isinstance(constant, str):
            return [constant]
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        table = getattr(importlib.import_module(module.name), node.value.id, None)
        if isinstance(table, dict):
            return list(cast("dict[Any, str]", table).values())
    raise NotLiteral(f"{place}: {ast.unparse(node)} is not made of literals; write the statement out")


def _assigned(scope: Scope, name: str) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in ast.walk(scope):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets):
            found.append(value)
    return found


def _page(module: Module, scope: Scope, call: ast.Call, place: str) -> list[str]:
    """What `select_page` runs for each sort, order and position, with every filter of the function at once."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    select, columns = call.args[1], getattr(importlib.import_module(module.name), ast.unparse(call.args[4]))
    kinds = getattr(importlib.import_module(module.name), "KINDS", {})
    recorder = _Recorder()
    for (column, order), text in product(product(columns, get_args(Order)), _values(select, module, scope, place)):
        for position in ({"offset": 0, "after": None}, {"offset": None, "after": (None, UUID(int=0))}):
            select_page(
                cast("Tx", recorder),
                cast("LiteralString", text),
                _conditions(module, scope, place),
                Keyset(1, order, column, kinds.get(column, "time"), **cast("Any", position)),
                columns,
                object,
                **{name: cast("Any", _values(node, module, scope, place)[0]) for name, node in named.items() if name},
            )
    return recorder.texts


def _conditions(module: Module, scope: Scope, place: str) -> Conditions:
    where = Conditions()
    for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"add", "add_given"} and call.args:
            for text in _values(call.args[0], module, scope, place):
                where.add(cast("LiteralString", text))
    return where
