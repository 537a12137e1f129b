"""What segments read: so that it is there, and is not taken from under them."""

from collections.abc import Iterator
from typing import Any

from penguinmails.db import Tx


def segments_reading(tx: Tx, field: str, value: str | None = None) -> list[str]:
    """Names of the segments whose rules read a field, or compare it with a value; a dozen at most."""
    return tx.all(
        """
        SELECT name::text FROM segments
        WHERE jsonb_path_exists(definition, '$.** ? (@.field == $field && ($value == null || @.value == $value))',
                                jsonb_build_object('field', %(field)s::text, 'value', %(value)s::text))
        ORDER BY name LIMIT 12
        """,
        {"field": field, "value": value},
    )


def comparisons(rule: Any, path: str = "definition") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every comparison of a definition that compiles, with its place."""
    if "not" in rule:
        yield from comparisons(rule["not"], f"{path}.not")
    elif "field" in rule:
        yield path, rule
    else:
        ((group, rules),) = rule.items()
        for number, inner in enumerate(rules):
            yield from comparisons(inner, f"{path}.{group}.{number}")
