"""Who may import whom. Folders are discovered, so that a new function is held to the rules from its first file on."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from functools import lru_cache

import pytest

from local.template import read_template
from tests.support.imports import Module, function_folders, layer, modules, packages_of, reachable
from tests.support.sources import ROOT

ORDER = ("app", "routes", "service", "repository")
WEB = {"fastapi", "starlette", "mangum"}
DRIVERS = {
    "psycopg": {"db.py", "db_values.py"},
    "redis": {"cache.py"},
    "hvac": {"vault_client.py"},
    "boto3": {"aws.py"},
    "botocore": {"aws.py"},
    "bcrypt": {"auth/passwords.py"},
    "urllib3": {"providers/http.py"},
}
NEVER_DEPLOYED = {"local", "tests", "bench"}
FUNCTIONS = function_folders()
TEMPLATE = read_template(ROOT / "template.yaml")


def part(module: Module) -> str:
    """`routes` of `contacts.routes`."""
    return module.name.rpartition(".")[2]


def parts(name: str) -> list[Module]:
    return [module for folder in FUNCTIONS.values() for module in folder if part(module) == name]


def logical_id(folder: str) -> str:
    return "".join(word.title() for word in folder.split("_")) + "Function"


API = sorted(f for f in FUNCTIONS if logical_id(f) in {route.function for route in TEMPLATE.routes})
OTHERS = sorted(set(FUNCTIONS) - set(API))
JOBS = {folder for folder in OTHERS if logical_id(folder) in {s.function for s in TEMPLATE.schedules}}


def test_the_functions_are_found() -> None:
    assert {"contacts", "sweep_outbox"} <= set(FUNCTIONS)
    assert "contacts" in API
    assert "sweep_outbox" in OTHERS
    assert {"routes", "service", "repository"} <= {part(module) for module in FUNCTIONS["contacts"]}


def test_no_function_imports_another() -> None:
    for folder, found in FUNCTIONS.items():
        for module in found:
            assert packages_of(module.imports).isdisjoint(set(FUNCTIONS) - {folder}), (
                f"{module.path} imports another function: move what both need to penguinmails/domain"
            )


def test_the_layer_imports_no_function_and_nothing_that_stays_at_home() -> None:
    for module in layer():
        found = packages_of(module.imports) & {*FUNCTIONS, *NEVER_DEPLOYED, "database", "scripts"}
        assert not found, f"{module.path} imports {found}"


def test_nothing_that_is_deployed_or_builds_imports_the_local_stack_tests_or_benchmarks() -> None:
    for module in modules().values():
        if module.package not in NEVER_DEPLOYED:
            assert packages_of(module.imports).isdisjoint(NEVER_DEPLOYED), module.path


def test_a_folder_is_read_from_the_outside_in() -> None:
    """app, routes, service, repository: each may use those after it, none those before."""
    for folder, found in FUNCTIONS.items():
        for module in found:
            if part(module) in ORDER:
                before = {f"{folder}.{name}" for name in ORDER[: ORDER.index(part(module))]}
                assert before.isdisjoint(reachable(module.name) | module.imports), module.path


@pytest.mark.parametrize(
    ("name", "strangers"),
    [
        ("service", {*WEB, "boto3", "botocore", "psycopg", "pydantic"}),
        ("repository", {*WEB, "boto3", "botocore", "psycopg", "pydantic"}),
        ("schemas", {*WEB, "boto3", "botocore", "psycopg"}),
        ("app", {"boto3", "botocore", "psycopg", "pydantic"}),
        ("routes", {"boto3", "botocore", "psycopg"}),
    ],
)
def test_a_part_does_not_know_what_is_not_its_business(name: str, strangers: set[str]) -> None:
    assert parts(name)
    for module in parts(name):
        assert packages_of(module.imports).isdisjoint(strangers), module.path


@pytest.mark.parametrize("name", ["service", "repository"])
def test_rules_and_sql_do_not_load_the_web_framework_by_way_of_others_either(name: str) -> None:
    for module in parts(name):
        loaded = packages_of(frozenset(reachable(module.name)))
        assert loaded.isdisjoint({*WEB, "pydantic"}), module.path


@pytest.mark.parametrize("driver", sorted(DRIVERS))
def test_a_driver_is_known_to_one_part_of_the_layer(driver: str) -> None:
    deployed = [*layer(), *(module for folder in FUNCTIONS.values() for module in folder)]
    importers = {module.path for module in deployed if driver in packages_of(module.imports)}

    assert importers == {f"layers/common/python/penguinmails/{name}" for name in DRIVERS[driver]}


_LOADED = """
import importlib, json, os, sys
importlib.import_module(sys.argv[1])
for folder in sys.argv[2:]:
    if os.fork() == 0:
        importlib.import_module(folder + ".app")
        print(json.dumps([folder, sorted(sys.modules)]), flush=True)
        os._exit(0)
    if os.wait()[1] != 0:
        sys.exit(folder + " cannot be imported")
"""
SHARED = ("penguinmails.http.handler", "penguinmails.queue", "penguinmails.schedule", "penguinmails.logging")
"""What a new process may have loaded before it loads one function after the other in copies of itself: each of those that
are asked of it loads this as well, so what a copy has in the end is what a process of the function's own would have."""


def shared_by(folder: str) -> str:
    """The first of SHARED that a function's handler loads."""
    return next(name for name in SHARED if name in reachable(f"{folder}.app"))


@lru_cache(maxsize=len(SHARED))
def loaded_with(shared: str) -> dict[str, set[str]]:
    """What a cold start loads, by function, of the functions that load a module."""
    path = f"{ROOT}:{ROOT / 'functions'}:{ROOT / 'layers/common/python'}"
    folders = [folder for folder in (*sorted(FUNCTIONS), "database") if shared_by(folder) == shared]
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, shared, *folders],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": path},
    )  # fmt: skip
    return {folder: set(loaded) for folder, loaded in map(json.loads, done.stdout.splitlines())}


# What the libraries themselves load is most of it: docs/decisions/0005-cold-start-budgets.md.
MOST_MODULES = {"api": 670, "consumer": 400, "job": 385}
WITH_MORE_TO_DO = {
    "dispatch_webhooks": 520,
    "campaigns": 680,
    "webhooks": 690,
    "plan_campaigns": 410,
    "send_campaign_emails": 420,
    "send_emails": 420,
}
"""One has an HTTP client, one campaigns and searches of contacts, one five resources below it, one knows contacts and
segments, one windows and days in time zones besides accounts' mail servers, one every mail provider."""


@pytest.mark.parametrize("folder", [*sorted(FUNCTIONS), "database"])
def test_a_cold_start_loads_only_what_its_kind_of_function_needs(folder: str) -> None:
    loaded = loaded_with(shared_by(folder))[folder]

    # Powertools loads the bare `botocore` to register its name there; the client is what costs.
    clients = {"boto3", "botocore.session", "botocore.client", "hvac"}
    unwanted = clients if folder in API else clients | WEB | {"pydantic"}
    assert "penguinmails" in loaded
    assert loaded.isdisjoint(unwanted), f"{folder} loads {loaded & unwanted} at import; import it on first use"
    kind = "api" if folder in API else "job" if folder in {*JOBS, "database"} else "consumer"
    assert len(loaded) <= WITH_MORE_TO_DO.get(folder, MOST_MODULES[kind])


def test_every_function_stands_in_the_table_of_cold_starts() -> None:
    section = (ROOT / "bench" / "README.md").read_text().partition("## Cold start")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.M)) == sorted([*FUNCTIONS, "database"])


def test_a_statement_that_two_folders_need_is_written_once_in_the_domain() -> None:
    from tests.support.statements import statements

    written: dict[str, set[str]] = defaultdict(set)
    for statement in statements():
        written[" ".join(statement.text.split())].add(statement.folder)
    twice = {text: folders for text, folders in written.items() if len(folders) > 1}

    assert twice == {}, "move these to penguinmails/domain/<concept>.py"
