"""Says in OpenAPI 3.0.3 what a schema says in JSON Schema 2020-12, the dialect of OpenAPI 3.1.

The rules follow https://spec.openapis.org/oas/v3.0.3#schema-object. Every value that the one accepts the other accepts
too. What 3.0 has no words for is refused by name rather than lost, with two exceptions: names of map keys
(`propertyNames`, `patternProperties`) become an `x-key-pattern`, since the server checks them anyway, and titles, which
only repeat the names of fields and models, are left out.
"""

from typing import Any

Schema = dict[str, Any]

_AS_THEY_ARE = {
    "$ref", "additionalProperties", "default", "deprecated", "description", "discriminator", "enum", "externalDocs",
    "format", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
    "multipleOf", "pattern", "properties", "readOnly", "required", "type", "uniqueItems", "writeOnly", "xml",
}  # fmt: skip
_COMBINATIONS = ("allOf", "anyOf", "oneOf")
_REWRITTEN = {
    "$comment", "const", "contentEncoding", "contentMediaType", "examples", "exclusiveMaximum", "exclusiveMinimum",
    "items", "not", "patternProperties", "prefixItems", "propertyNames", "title", *_COMBINATIONS,
}  # fmt: skip
_ONLY_NULL: Schema = {"type": "string", "nullable": True, "enum": [None]}
"""The type is of no consequence, but `nullable` counts only beside one."""


class NotExpressible(Exception):
    """OpenAPI 3.0 cannot say this; the message names the place and the keyword."""


def downgrade(schema: Schema | bool, at: str = "#") -> Schema:
    """The schema in OpenAPI 3.0.3; `at` is where it stands, for the message of NotExpressible."""
    if schema is True:
        return {}
    if schema is False:
        return {"not": {}}
    unknown = {key for key in schema if key not in _AS_THEY_ARE | _REWRITTEN and not key.startswith("x-")}
    if unknown:
        raise NotExpressible(f"{at}: OpenAPI 3.0 has no {', '.join(sorted(unknown))}. Describe the field otherwise.")
    rest, takes_null = _without_null(schema, at)
    if rest is None:
        return {**_notes(schema), **_ONLY_NULL}
    converted = _reference(rest) if "$ref" in rest else _keywords(rest, at)
    return _with_null(converted) if takes_null else converted


def never_null(schema: Schema, at: str = "#") -> Schema:
    """The schema of a parameter: in a query or path there is no way to send null, only to leave the parameter out."""
    rest, _ = _without_null(schema, at)
    return downgrade({} if rest is None else rest, at)


def _notes(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("description", "deprecated") if key in schema}


def _without_null(schema: Schema, at: str) -> tuple[Schema | None, bool]:
    """The schema for everything but null (None when nothing is left), and whether null is accepted."""
    if "const" in schema:
        values = [schema["const"]]
        schema = {**{key: value for key, value in schema.items() if key != "const"}, "enum": values}
    if schema.get("type") == "null":
        return None, True
    if isinstance(schema.get("type"), list):
        return _without_null(_type_alternatives(schema), at)
    if None in schema.get("enum", ()) and "type" not in schema:
        values = [value for value in schema["enum"] if value is not None]
        return ({**schema, "enum": values} if values else None), True
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _alternatives_without_null(schema, key, at)
    return schema, False


def _type_alternatives(schema: Schema) -> Schema:
    """`type: [a, b]` as `anyOf`; keywords of other types do not bind in either form, so each branch repeats them all."""
    types: list[str] = schema["type"]
    notes = {key: value for key, value in schema.items() if key in {"description", "default", "examples", "deprecated"}}
    rules = {key: value for key, value in schema.items() if key not in notes and key != "type"}
    branches = [{"type": "null"} if name == "null" else {**rules, "type": name} for name in types]
    if "enum" in rules and None not in rules["enum"]:
        branches = [branch for branch in branches if branch != {"type": "null"}]
    return {**notes, "anyOf": branches}


def _alternatives_without_null(schema: Schema, key: str, at: str) -> tuple[Schema | None, bool]:
    alternatives = [_without_null(branch, at) for branch in schema[key]]
    left = [branch for branch, _ in alternatives if branch is not None]
    takes_null = any(null for _, null in alternatives)
    outer = {name: value for name, value in schema.items() if name != key}
    binding = set(outer) - {"description", "default", "examples", "title", "deprecated", "readOnly", "writeOnly"}
    if takes_null and binding:
        raise NotExpressible(
            f"{at}: {', '.join(sorted(binding))} beside a nullable {key}. Move it into the alternatives."
        )
    if not left:
        return None, True
    if len(left) > 1:
        return {**outer, key: left}, takes_null
    if "$ref" in left[0] or set(left[0]) & binding:
        return {**outer, "allOf": [left[0]]}, takes_null
    return {**left[0], **outer}, takes_null


def _with_null(schema: Schema) -> Schema:
    """`nullable` counts only beside a `type`; an `enum` or a combination beside it would still refuse null."""
    if "type" in schema and not any(key in schema for key in _COMBINATIONS):
        return _nullable(schema)
    outer = {key: schema[key] for key in ("description", "default", "example", "deprecated") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outer}
    if set(inner) == {"anyOf"}:
        branches = list(inner["anyOf"])
        for index, branch in enumerate(branches):
            if "type" in branch and not any(key in branch for key in _COMBINATIONS):
                branches[index] = _nullable(branch)
                return {**outer, "anyOf": branches}
    elif set(inner) == {"allOf"} and len(inner["allOf"]) == 1:
        branches = [inner["allOf"][0]]
    else:
        branches = [inner]
    return {**outer, "anyOf": [*branches, _ONLY_NULL]}


def _nullable(schema: Schema) -> Schema:
    widened = {**schema, "nullable": True}
    if "enum" in schema:
        widened["enum"] = [*schema["enum"], None]
    return widened


def _reference(schema: Schema) -> Schema:
    """What stands beside a `$ref` is ignored in 3.0, so the reference moves into an `allOf`."""
    beside = {key: value for key, value in schema.items() if key not in {"$ref", "title"}}
    if not beside:
        return {"$ref": schema["$ref"]}
    return {**_keywords(beside, schema["$ref"]), "allOf": [{"$ref": schema["$ref"]}]}


def _keywords(schema: Schema, at: str) -> Schema:
    result = {key: value for key, value in schema.items() if key in _AS_THEY_ARE or key.startswith("x-")}
    if result.get("required") == []:
        del result["required"]
    result |= _bounds(schema)
    result |= _arrays(schema, at)
    result |= _objects(schema, at)
    for key in _COMBINATIONS:
        if key in schema:
            result[key] = [downgrade(branch, f"{at}/{key}/{index}") for index, branch in enumerate(schema[key])]
    if "not" in schema:
        result["not"] = downgrade(schema["not"], f"{at}/not")
    if schema.get("examples"):
        result["example"] = schema["examples"][0]
    if schema.get("contentEncoding") == "base64":
        result["format"] = "byte"
    elif "contentMediaType" in schema:
        result["format"] = "binary"
    return result


def _bounds(schema: Schema) -> Schema:
    """3.1 has two numbers where 3.0 has a number and a flag, so the stricter of the two numbers is what counts."""
    result: Schema = {}
    for inclusive, exclusive, is_stricter in (
        ("minimum", "exclusiveMinimum", lambda a, b: a >= b),
        ("maximum", "exclusiveMaximum", lambda a, b: a <= b),
    ):
        if exclusive in schema and (inclusive not in schema or is_stricter(schema[exclusive], schema[inclusive])):
            result |= {inclusive: schema[exclusive], exclusive: True}
    return result


def _arrays(schema: Schema, at: str) -> Schema:
    """3.0 has no tuples: the elements may be any of those that the tuple names, and their number is kept."""
    if "prefixItems" in schema:
        choices = list(schema["prefixItems"])
        surplus = schema.get("items", True)
        if surplus is not False:
            choices.append(surplus)
        elements = [downgrade(choice, f"{at}/prefixItems/{index}") for index, choice in enumerate(choices)]
        return {"items": elements[0] if all(e == elements[0] for e in elements) else {"anyOf": elements}} | (
            {"maxItems": len(schema["prefixItems"])} if surplus is False else {}
        )
    if "items" in schema:
        return {"items": downgrade(schema["items"], f"{at}/items")}
    return {"items": {}} if schema.get("type") == "array" else {}


def _objects(schema: Schema, at: str) -> Schema:
    result: Schema = {}
    if "properties" in schema:
        result["properties"] = {
            name: downgrade(value, f"{at}/properties/{name}") for name, value in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = downgrade(schema["additionalProperties"], f"{at}/additionalProperties")
    if "patternProperties" in schema:
        result |= _map_by_pattern(schema, at)
    pattern = schema.get("propertyNames", {}).get("pattern")
    return result | ({"x-key-pattern": pattern} if pattern else {})


def _map_by_pattern(schema: Schema, at: str) -> Schema:
    patterns: dict[str, Schema] = schema["patternProperties"]
    if len(patterns) != 1 or isinstance(schema.get("additionalProperties"), dict):
        raise NotExpressible(f"{at}: OpenAPI 3.0 has no patternProperties. Use one pattern for all keys.")
    [(pattern, value)] = patterns.items()
    return {"additionalProperties": downgrade(value, f"{at}/patternProperties"), "x-key-pattern": pattern}
