"""What the sources say, read without running them."""

import ast
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "common" / "python" / "penguinmails"
_READERS = {"env", "_boolean", "_choice", "_integer"}
_SENDING = {"enqueue", "enqueue_many", "row_of", "send_after_commit", "requeue"}


def _texts(call: ast.Call) -> list[str]:
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def settings_read() -> set[str]:
    """The environment variables that the settings are made of."""
    tree = ast.parse((LAYER / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return {_texts(call)[0] for call in calls if call.func.id in _READERS and _texts(call)}  # type: ignore[attr-defined]


def _imported(tree: ast.Module) -> set[str]:
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for statement in statements for alias in statement.names}


def _calls(node: ast.AST, modules: set[str]) -> set[str]:
    """Names of called functions, `f` or `module.f`; those that send into a queue as `f:queue`. Methods do not count."""
    found: set[str] = set()
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        function = call.func
        if isinstance(function, ast.Name):
            name = function.id
        elif (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id in modules
        ):
            name = function.attr
        else:
            continue
        found.add(f"{name}:{_texts(call)[0]}" if name in _SENDING and _texts(call) else name)
    return found


@lru_cache(maxsize=64)
def names_called(folder: Path) -> set[str]:
    """Every function name that the sources of a folder call."""
    trees = [ast.parse(file.read_text()) for file in folder.rglob("*.py")]
    return {name for tree in trees for name in _calls(tree, _imported(tree))}


@lru_cache(maxsize=1)
def _calls_in_layer() -> dict[str, set[str]]:
    """What each function of the layer calls; functions of the same name are taken together."""
    bodies: dict[str, set[str]] = {}
    for file in LAYER.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                bodies.setdefault(node.name, set()).update(_calls(node, _imported(tree)))
    return bodies


def callers_of(*names: str) -> set[str]:
    """These names, and the functions of the layer that call them directly or by way of others."""
    found = set(names)
    while True:
        added = {name for name, calls in _calls_in_layer().items() if calls & found} - found
        if not added:
            return found
        found |= added


def sends_to(folder: Path, queue: str) -> bool:
    """Whether the sources of a folder put messages into a queue."""
    return not names_called(folder).isdisjoint(callers_of(*(f"{name}:{queue}" for name in _SENDING)))
