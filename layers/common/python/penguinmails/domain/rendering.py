"""Texts with variables, as people write them: Jinja's syntax, reduced to what a mail needs, and safe to run for others.

Allowed are variables, conditions, loops over given lists, and a short list of filters. There are no calls, no
arithmetic, no imports and no attributes but the keys of what was given, so a template cannot reach into the process; what
keeps it from making the process busy or large is in `rendering_limits`. A variable that is not given is an error, never an
empty place.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from penguinmails.domain import rendering_limits as limits

MAX_SOURCE_CHARACTERS = 500_000
MAX_OUTPUT_CHARACTERS = 2_000_000
MAX_VARIABLES_BYTES = 65_536
MAX_ITEMS = 1_000
_MAX_LOOP_DEPTH = 2
_FILTERS = frozenset(
    {
        "capitalize", "d", "default", "e", "escape", "first", "join", "last", "length", "lower", "replace", "round",
        "striptags", "title", "trim", "truncate", "upper", "urlencode",
    }
)  # fmt: skip
_TESTS = frozenset({"defined", "undefined", "none", "string", "number", "mapping", "sequence", "true", "false"})
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs"})
_LOOP_FACTS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})
_NODES = frozenset(
    {
        "Template", "Output", "TemplateData", "Name", "Const", "Getattr", "Getitem", "Filter", "Keyword", "If", "For",
        "Compare", "Operand", "And", "Or", "Not", "CondExpr", "Test", "List", "Tuple",
    }
)  # fmt: skip


class TemplateFault(Exception):
    """The text cannot be used; `line` is where, counted from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.message = message
        self.line = line


class MissingVariable(Exception):
    """The text needs a variable that was not given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnusableVariables(Exception):
    """What was given is too large, or of a kind that cannot be shown."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A text that is ready to be rendered any number of times."""

    variables: tuple[str, ...]
    """Names at the top level that it reads, sorted."""
    _template: Any = field(repr=False)

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with these values; nothing is shown for null.

        Raises MissingVariable, and TemplateFault when the text becomes longer than 2,000,000 characters or takes too long.
        """
        parts: list[str] = []
        total = 0
        for part in _pieces(self._template, variables):
            total += len(part)
            if total > MAX_OUTPUT_CHARACTERS:
                raise TemplateFault(f"becomes longer than {MAX_OUTPUT_CHARACTERS:,} characters", 1)
            parts.append(part)
        return "".join(parts)


def _pieces(template: Any, variables: Mapping[str, Any]) -> Iterator[str]:
    from jinja2 import TemplateError

    try:
        yield from template.generate({**variables, limits.BUDGET: limits.Budget()})
    except limits.OverBudget:
        raise TemplateFault("loops or filters do more than a mail needs", 1) from None
    except TemplateError as error:
        raise TemplateFault(str(error), 1) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise TemplateFault(f"a filter does not fit the value that it is given ({type(error).__name__})", 1) from None


@lru_cache(maxsize=512)
def compile_template(source: str, *, is_html: bool) -> Compiled:
    """Read a text. With `is_html`, values are escaped. Raises TemplateFault with the line of what is wrong."""
    from jinja2 import TemplateSyntaxError, meta

    if len(source) > MAX_SOURCE_CHARACTERS:
        raise TemplateFault(f"is longer than {MAX_SOURCE_CHARACTERS:,} characters", 1)
    environment = _environment(is_html=is_html)
    try:
        if limits.holds_too_much(environment.lex(source)):
            raise TemplateFault(f"holds more than {limits.MAX_TOKENS:,} names, signs and pieces of text", 1)
        tree = environment.parse(source)
        _check(tree, 0, 0)
        variables = tuple(sorted(meta.find_undeclared_variables(tree)))
        limits.limit_loops(tree)
        return Compiled(variables, environment.from_string(tree))
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "cannot be read", error.lineno) from None
    except RecursionError:
        raise TemplateFault("is nested too deeply", 1) from None
    except ValueError:
        raise TemplateFault("holds a number that is too large", 1) from None


def check_variables(variables: Mapping[str, Any]) -> None:
    """Refuse values that would make rendering slow. Raises UnusableVariables."""
    size = len(json.dumps(variables, default=str).encode())
    if size > MAX_VARIABLES_BYTES:
        raise UnusableVariables(f"take {size:,} bytes as JSON; at most {MAX_VARIABLES_BYTES:,} are accepted")
    _check_items(variables)


def _check_items(value: Any) -> None:
    if isinstance(value, list | tuple | dict):
        if len(value) > MAX_ITEMS:
            raise UnusableVariables(f"hold a list of {len(value):,} items; at most {MAX_ITEMS:,} are accepted")
        for item in value.values() if isinstance(value, dict) else value:
            _check_items(item)


def _check(node: Any, loops: int, depth: int) -> None:
    kind = type(node).__name__
    if depth > limits.MAX_DEPTH:
        raise TemplateFault(f"is nested more than {limits.MAX_DEPTH} deep", node.lineno)
    if kind not in _NODES:
        raise TemplateFault(f"{_plain(kind)} cannot be used here", node.lineno)
    if kind == "Name" and node.name in _RESERVED:
        raise TemplateFault(f"the name {node.name} has a meaning of its own; choose another", node.lineno)
    if kind == "Filter" and node.name not in _FILTERS:
        raise TemplateFault(f"there is no filter {node.name}; there are {', '.join(sorted(_FILTERS))}", node.lineno)
    if kind == "Test" and node.name not in _TESTS:
        raise TemplateFault(f"there is no test {node.name}; there are {', '.join(sorted(_TESTS))}", node.lineno)
    if kind == "For":
        loops += 1
        if loops > _MAX_LOOP_DEPTH or node.recursive:
            raise TemplateFault(f"loops may be nested {_MAX_LOOP_DEPTH} deep", node.lineno)
    if kind == "Const" and limits.is_too_large(node.value):
        raise TemplateFault("holds a number that is too large", node.lineno)
    for child in node.iter_child_nodes():
        _check(child, loops, depth + 1)


def _plain(kind: str) -> str:
    return {"Call": "a call", "Import": "an import", "Include": "an include", "Macro": "a macro"}.get(
        kind, f"the construct {kind}"
    )


def _shown(value: Any) -> Any:
    return "" if value is None else value


@lru_cache(maxsize=2)
def _environment(*, is_html: bool) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.runtime import LoopContext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Missing(StrictUndefined):
        def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> Any:
            raise MissingVariable(str(self._undefined_name))

        __str__ = __iter__ = __bool__ = __len__ = __eq__ = __ne__ = __contains__ = __hash__ = _fail_with_undefined_error  # pyright: ignore

    class Environment(ImmutableSandboxedEnvironment):
        plain_filters: ImmutableSandboxedEnvironment

        def getattr(self, obj: Any, attribute: str) -> Any:
            return self.getitem(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(obj, dict) and argument in obj:
                return obj[argument]
            if isinstance(obj, LoopContext) and argument in _LOOP_FACTS:
                return getattr(obj, argument)
            if isinstance(obj, list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
                return obj[argument]
            return self.undefined(name=f"{argument}")

    environment = Environment(autoescape=is_html, undefined=Missing, finalize=_shown)
    environment.globals.clear()
    environment.plain_filters = Environment(autoescape=is_html, undefined=Missing)
    environment.filters = limits.metered({name: environment.filters[name] for name in _FILTERS})
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment
