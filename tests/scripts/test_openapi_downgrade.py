"""The conversion of schemas from OpenAPI 3.1 to 3.0.3."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator

from scripts.openapi.downgrade import NotExpressible, Schema, downgrade, never_null

# Floats with a whole value are left out: JSON Schema counts 1.0 as an integer, OpenAPI 3.0 leaves it open.
_numbers = st.integers(-5, 5) | st.sampled_from([0.5, -2.5, 3.25])
_scalars = st.none() | st.booleans() | _numbers | st.sampled_from(["", "a", "ab", "abc", "abcd"])
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=6,
)
_string = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 3), "maxLength": st.integers(1, 4), "title": st.just("Name")},
)
_number = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": st.integers(-4, 2),
        "maximum": st.integers(0, 4),
        "exclusiveMinimum": st.integers(-4, 2),
        "exclusiveMaximum": st.integers(0, 4),
    },
)
_constant = st.builds(lambda value: {"const": value}, _scalars)
_choice = st.builds(lambda values: {"enum": values}, st.lists(_scalars, min_size=1, max_size=3, unique_by=repr))
_typed_choice = st.just({"type": "string", "enum": ["a", "ab"]})
_several_types = st.builds(
    lambda types, rules: {**rules, "type": types},
    st.lists(st.sampled_from(["string", "null", "integer", "boolean"]), min_size=1, max_size=3, unique=True),
    st.fixed_dictionaries({}, optional={"minLength": st.integers(0, 2), "maximum": st.integers(0, 3)}),
)
_plain = st.sampled_from([{"type": "null"}, {"type": "boolean"}, {}])
_leaves = _string | _number | _constant | _choice | _typed_choice | _several_types | _plain


def _nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.sampled_from(["a", "b"])
    return st.one_of(
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 3}, inner),
        st.builds(
            lambda properties, required, more: {
                "type": "object",
                "properties": properties,
                "required": sorted(required),
                "additionalProperties": more,
            },
            st.dictionaries(names, inner, max_size=2),
            st.sets(names, max_size=2),
            inner | st.booleans(),
        ),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda branches: {"allOf": branches}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda branch: {"not": branch}, inner),
        st.builds(lambda branch: {"anyOf": [branch, {"type": "null"}], "description": "May be null."}, inner),
    )


_schemas = st.recursive(_leaves, _nested, max_leaves=5)


@settings(max_examples=400, deadline=None)
@given(schema=_schemas, value=_values)
def test_both_forms_accept_the_same_values(schema: Schema, value: Any) -> None:
    expected = Draft202012Validator(schema).is_valid(value)

    assert OAS30Validator(downgrade(schema)).is_valid(value) == expected, downgrade(schema)


@given(schema=_schemas)
@settings(max_examples=200, deadline=None)
def test_the_result_is_an_openapi_3_0_schema(schema: Schema) -> None:
    OAS30Validator.check_schema(downgrade(schema))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"anyOf": [{"type": "boolean"}, {"type": "string"}, {"type": "null"}]},
            {"anyOf": [{"type": "boolean", "nullable": True}, {"type": "string"}]},
        ),
        ({"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]}, {"type": "string", "maxLength": 5, "nullable": True}),
        (
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            {"type": "string", "enum": ["a", None], "nullable": True},
        ),
        (
            {"anyOf": [{"$ref": "#/components/schemas/Limit"}, {"type": "null"}], "description": "Null when unknown."},
            {
                "anyOf": [{"$ref": "#/components/schemas/Limit"}, {"type": "string", "nullable": True, "enum": [None]}],
                "description": "Null when unknown.",
            },
        ),
        (
            {"$ref": "#/components/schemas/Scope", "description": "A scope."},
            {"allOf": [{"$ref": "#/components/schemas/Scope"}], "description": "A scope."},
        ),
        ({"type": "string", "const": "done"}, {"type": "string", "enum": ["done"]}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": 0}, {"type": "integer", "minimum": 5}),
        ({"type": "string", "examples": ["x", "y"], "title": "Name"}, {"type": "string", "example": "x"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "maxItems": 2},
        ),
        (
            {"type": "object", "patternProperties": {"^[a-z]+$": {"type": "string"}}},
            {"type": "object", "additionalProperties": {"type": "string"}, "x-key-pattern": "^[a-z]+$"},
        ),
        ({"type": "string", "contentMediaType": "application/octet-stream"}, {"type": "string", "format": "binary"}),
    ],
)  # fmt: skip
def test_known_forms_become_the_idiom_of_3_0(schema: Schema, expected: Schema) -> None:
    assert downgrade(schema) == expected


def test_a_field_called_title_is_kept() -> None:
    assert "title" in downgrade({"type": "object", "properties": {"title": {"type": "string"}}})["properties"]


def test_a_parameter_is_never_null() -> None:
    assert never_null({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}) == {
        "type": "integer",
        "minimum": 0,
    }


@pytest.mark.parametrize("keyword", ["if", "unevaluatedProperties", "dependentRequired", "contains"])
def test_what_3_0_cannot_say_is_refused_by_name(keyword: str) -> None:
    with pytest.raises(NotExpressible, match=f"properties/a: .*{keyword}"):
        downgrade({"type": "object", "properties": {"a": {keyword: {}}}})
