"""What keeps a text of other people's from using up time or memory: how much it may hold, and how much it may do.

Whatever is looped over and whatever a filter takes and makes is paid for from one budget per rendering, before it is done.
A text of any sense costs a thousandth of it.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

BUDGET = " budget"
"""Under which name a rendering finds its budget: with a blank, as no text can name it."""
LOOPED = "looped over"
"""The name, for the same reason, of the filter that every loop's list goes through."""
MAX_TOKENS = 10_000
MAX_DEPTH = 40
MAX_STEPS = 2_000_000
_MAX_NUMBER = 10**15
_MAX_DECIMALS = 15
_PIECE_OF_TAGS = 100


class OverBudget(Exception):
    """A rendering that would take too long, or too much memory."""


class Budget:
    """Steps that a rendering has left: a construct that is run is one, and so is a character that a filter takes or makes."""

    def __init__(self) -> None:
        """All of them."""
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Take steps away. Raises OverBudget."""
        self.left -= steps
        if self.left < 0:
            raise OverBudget


def holds_too_much(tokens: Iterator[Any]) -> bool:
    """Whether a text has more parts than reading it is worth; no more of it is looked at than that takes."""
    return sum(1 for _ in islice(tokens, MAX_TOKENS + 1)) > MAX_TOKENS


def is_too_large(number: Any) -> bool:
    """Whether a number is one that nobody needs in a mail, and that is slow to handle."""
    return isinstance(number, int | float) and not abs(number) <= _MAX_NUMBER


def limit_loops(tree: Any) -> None:
    """Have what is looped over paid for: each item costs what is run for it."""
    from jinja2 import nodes

    for loop in tree.find_all(nodes.For):
        cost = nodes.Const(
            1 + _parts_of([*loop.body, *loop.else_, *([loop.test] if loop.test else [])]), lineno=loop.lineno
        )
        loop.iter = nodes.Filter(loop.iter, LOOPED, [cost], [], None, None, lineno=loop.lineno)
    tree.set_environment(tree.environment)


def _parts_of(found: list[Any]) -> int:
    return len(found) + sum(_parts_of(list(node.iter_child_nodes())) for node in found)


def metered(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters, each of which is paid for; none is run while a text is read, when there is no budget yet."""
    return {**{name: _metered(name) for name in filters}, LOOPED: _looped_over()}


def _metered(name: str) -> Callable[..., Any]:
    from jinja2 import pass_context

    @pass_context
    def run(context: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget: Budget = context.resolve(BUDGET)
        given = [value, *args, *kwargs.values()]
        budget.spend(1 + sum(map(_length, given)) + _COSTS.get(name, _nothing_more)(*given))
        made = context.environment.plain_filters.call_filter(name, value, args, kwargs, context=context)
        budget.spend(_length(made))
        return made

    return run


def _looped_over() -> Callable[..., Any]:
    from jinja2 import pass_context

    @pass_context
    def run(context: Any, value: Any, cost: int) -> Any:
        if isinstance(value, str | list | tuple | dict):
            context.resolve(BUDGET).spend(len(value) * cost)
        return value

    return run


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _nothing_more(*_given: Any) -> int:
    return 0


def _replaced(value: Any, old: Any = "", new: Any = "", *_count: Any) -> int:
    return str(value).count(str(old)) * len(str(new))


def _joined(value: Any, between: Any = "", *_attribute: Any) -> int:
    parts = sum(map(_length, value)) if isinstance(value, list | tuple) else 0
    return parts + _length(value) * len(str(between))


def _rounded(_value: Any, decimals: Any = 0, *_method: Any) -> int:
    return 0 if isinstance(decimals, int) and abs(decimals) <= _MAX_DECIMALS else MAX_STEPS


def _stripped(value: Any, *_given: Any) -> int:
    return str(value).count("<") // _PIECE_OF_TAGS * _length(value)


_COSTS: dict[str, Callable[..., int]] = {
    "replace": _replaced,
    "join": _joined,
    "round": _rounded,
    "striptags": _stripped,
}
