"""template.yaml against the code that it deploys, and against AWS's rules that no linter knows."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

from local.gateway import find_route, spelt_out
from local.schedules import next_cron, rate_seconds
from local.template import read_document, read_template
from penguinmails import clock
from penguinmails.http.access import requirement_of
from scripts.openapi.document import routers
from tests.support.sources import callers_of, names_called, sends_to, settings_read

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = read_document(ROOT / "template.yaml")
TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES: dict[str, dict[str, Any]] = DOCUMENT["Resources"]
GLOBALS: dict[str, Any] = DOCUMENT["Globals"]["Function"]
FUNCTIONS = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"}
FOLDERS = sorted(file.parent for file in [*ROOT.glob("functions/*/app.py"), ROOT / "database/app.py"])
PACKAGES = [folder.name for folder in FOLDERS]
ALL_QUEUES = {"events", "deliveries", "emails", "campaign_emails", "platform_mail", "imports", "exports"}
FOR_ONE_MACHINE_ONLY = {
    "ALLOW_LOCALHOST_WEBHOOKS", "AWS_ENDPOINT_URL", "BCRYPT_ROUNDS", "MAILGUN_URL", "PLATFORM_SECRETS_FILE", "POSTMARK_URL",
    "VAULT_ROLE_ID", "VAULT_SECRET_ID_FILE",
}  # fmt: skip
HAVE_A_DEFAULT = {"DNS_RESOLVERS", "VAULT_KV_MOUNT"}
ORDER_THE_DEPLOY = {"CONFIGURATION"}
"""Named so that CloudFormation migrates first; nobody reads them."""
OF_SOME_FUNCTIONS = {"IMPORTS_DATABASE_URL", "JOBS_DATABASE_URL", "MIGRATIONS_DATABASE_URL", "SECURITY_CONTACT"}


def _logical_id(package: str) -> str:
    return "".join(word.title() for word in package.split("_")) + "Function"


def _package(properties: dict[str, Any]) -> str:
    return properties["Handler"].partition(".")[0]


def _own_environment(properties: dict[str, Any]) -> set[str]:
    return set(properties.get("Environment", {}).get("Variables", {}))


def _granted(properties: dict[str, Any], policy: str) -> list[dict[str, Any]]:
    return [entry[policy] for entry in properties.get("Policies", []) if policy in entry]


# ---- Functions and their folders --------------------------------------------------------------------------------------


def test_every_function_folder_has_exactly_one_function_and_the_other_way_round() -> None:
    deployed = sorted(_package(properties) for properties in FUNCTIONS.values())

    assert deployed == sorted(PACKAGES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_named_after_its_folder_and_its_handler_exists(name: str) -> None:
    properties = FUNCTIONS[name]
    package, module, attribute = properties["Handler"].split(".")
    code = ROOT / properties.get("CodeUri", GLOBALS["CodeUri"])
    folder = code if code.name == package else code / package
    tree = ast.parse((folder / f"{module}.py").read_text())
    defined = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    defined |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    assert name == _logical_id(package)
    assert attribute in defined
    assert (code / "Makefile").is_file()


@pytest.mark.parametrize("name", [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::LayerVersion"])
def test_a_layer_has_a_build_rule_of_its_name(name: str) -> None:
    makefile = (ROOT / RESOURCES[name]["Properties"]["ContentUri"] / "Makefile").read_text()

    assert f"\nbuild-{name}:" in makefile


@pytest.mark.parametrize("package", PACKAGES)
def test_every_function_has_a_sample_event(package: str) -> None:
    assert list((ROOT / "events" / package).glob("*.json"))


# ---- Configuration --------------------------------------------------------------------------------------------------


def test_every_variable_is_one_that_the_settings_read() -> None:
    known = settings_read()
    used = set(GLOBALS["Environment"]["Variables"]).union(*map(_own_environment, FUNCTIONS.values()))

    assert used - known == ORDER_THE_DEPLOY


def test_every_setting_reaches_the_functions_unless_it_is_for_one_machine() -> None:
    assert (
        settings_read() - FOR_ONE_MACHINE_ONLY - HAVE_A_DEFAULT - OF_SOME_FUNCTIONS
        == set(GLOBALS["Environment"]["Variables"]) - ORDER_THE_DEPLOY
    )


def test_no_function_is_deployed_with_a_setting_for_one_machine() -> None:
    deployed = [GLOBALS["Environment"]["Variables"], *map(_own_environment, FUNCTIONS.values())]

    assert set().union(*deployed).isdisjoint(FOR_ONE_MACHINE_ONLY | {"AWS_SAM_LOCAL"})


@pytest.mark.parametrize("package", PACKAGES)
def test_only_who_works_across_tenants_gets_the_jobs_role(package: str) -> None:
    text = "".join(file.read_text() for file in (ROOT / "functions" / package).rglob("*.py"))
    needs = 'role="jobs"' in text or "StaffCaller" in text

    assert ("JOBS_DATABASE_URL" in _own_environment(FUNCTIONS[_logical_id(package)])) == needs


def test_only_the_import_worker_gets_the_import_role() -> None:
    assert [n for n, p in FUNCTIONS.items() if "IMPORTS_DATABASE_URL" in _own_environment(p)] == [
        "ImportContactsFunction"
    ]


NEEDS_OF_FILES = {
    "stream_object": {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"},
    "read_object": {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"},
    "object_size": {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"},
    "download_link": {"s3:GetObject", "kms:Decrypt"},
    "store_object": {"s3:PutObject", "kms:GenerateDataKey"},
    "object_writer": {"s3:PutObject", "s3:AbortMultipartUpload", "kms:Decrypt", "kms:GenerateDataKey"},
    "upload_link": {"s3:PutObject", "kms:GenerateDataKey"},
    "renew_object": {"s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"},
    "list_objects": {"s3:ListBucket"},
    "delete_objects": {"s3:DeleteObject"},
}
"""Listing is what makes S3 say that an object is missing, instead of that it may not be read."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_may_do_with_files_exactly_what_its_code_does(package: str) -> None:
    called = names_called(ROOT / "functions" / package)
    used = [needs for name, needs in NEEDS_OF_FILES.items() if not called.isdisjoint(callers_of(name))]
    policies = FUNCTIONS[_logical_id(package)].get("Policies", [])
    statements = [s for policy in policies for s in policy.get("Statement", []) if "codedeploy" not in str(s["Action"])]

    assert {action for statement in statements for action in statement["Action"]} == set().union(*used)
    for statement in statements:
        of = {action.split(":")[1] for action in statement["Action"]}
        objects = {"Fn::Sub": "${FilesBucket.Arn}/*"} if of & {"GetObject", "PutObject", "DeleteObject"} else None
        key = {"Fn::GetAtt": ["DataKey" if "kms" in statement["Action"][0] else "FilesBucket", "Arn"]}
        assert statement["Resource"] == (objects or key)


def test_only_the_migration_function_gets_the_owner_of_the_schema() -> None:
    assert [n for n, p in FUNCTIONS.items() if "MIGRATIONS_DATABASE_URL" in _own_environment(p)] == ["DatabaseFunction"]


@pytest.mark.parametrize(
    ("parameter", "plain", "with_a_password"),
    [
        (
            "DatabaseAddress",
            "db.example:5432/penguinmails?sslmode=verify-full",
            "me:secret@db.example:5432/penguinmails",
        ),
        ("RedisUrl", "rediss://cache.example:6379", "rediss://me:secret@cache.example:6379"),
        ("VaultAddr", "https://vault.example:8200", "https://me:secret@vault.example:8200"),
    ],
)
def test_an_address_with_a_password_is_refused(parameter: str, plain: str, with_a_password: str) -> None:
    declaration = DOCUMENT["Parameters"][parameter]

    assert re.search(declaration["AllowedPattern"], plain)
    assert not re.search(declaration["AllowedPattern"], with_a_password)


@pytest.mark.parametrize("parameter", DOCUMENT["Parameters"])
def test_a_limit_of_a_parameter_says_what_it_must_be_by_name(parameter: str) -> None:
    declaration = DOCUMENT["Parameters"][parameter]
    has_limits = not {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue"}.isdisjoint(declaration)

    assert declaration.get("ConstraintDescription", "").startswith(parameter) == has_limits


def test_the_release_is_the_project_s_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert DOCUMENT["Parameters"]["Release"]["Default"] == version


def test_samconfig_knows_every_environment_and_names_the_release() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deployed = [
        dict(pair.split("=", 1) for pair in config[name]["deploy"]["parameters"]["parameter_overrides"])
        for name in ("default", "staging", "production")
    ]

    assert [chosen["Environment"] for chosen in deployed] == DOCUMENT["Parameters"]["Environment"]["AllowedValues"]
    for chosen in deployed:
        assert set(chosen) <= set(DOCUMENT["Parameters"])
        # A parameter that is not named keeps the value of the last deploy.
        assert chosen["Release"] == DOCUMENT["Parameters"]["Release"]["Default"]


# ---- Routes ---------------------------------------------------------------------------------------------------------


def _routes(router: APIRouter) -> list[tuple[str, str]]:
    contexts = iter_route_contexts(router.routes)
    return [(method, str(context.path_format)) for context in contexts for method in context.methods or ()]


@pytest.mark.parametrize("package", sorted(routers()))
def test_every_route_of_a_function_reaches_it_by_both_of_its_addresses(package: str) -> None:
    for method, path in _routes(routers()[package]):
        example = re.sub(r"\{[^}]+\}", "0190a3c4", path)
        addresses = [example] + [example.removeprefix("/api")] * example.startswith("/api/v1/")
        for address in addresses:
            match = find_route(TEMPLATE.routes, method, spelt_out(address))
            assert match is not None
            assert match.route.function == _logical_id(package), (method, address)


def test_what_nobody_serves_reaches_the_function_for_unknown_paths() -> None:
    match = find_route(TEMPLATE.routes, "GET", "/nowhere")

    assert match is not None
    assert match.route.function == "UnmatchedFunction"


def test_an_api_function_outlives_the_gateway_s_patience() -> None:
    for route in TEMPLATE.routes:
        assert route.timeout_seconds == 29
        assert TEMPLATE.functions[route.function].timeout_seconds > route.timeout_seconds


# ---- Queues ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mapping", TEMPLATE.mappings, ids=lambda mapping: mapping.function)
def test_a_consumer_has_time_for_six_tries_within_its_queue_s_visibility(mapping: Any) -> None:
    queue = TEMPLATE.queues[mapping.queue]

    assert queue.visibility_seconds >= 6 * TEMPLATE.functions[mapping.function].timeout_seconds


@pytest.mark.parametrize("mapping", TEMPLATE.mappings, ids=lambda mapping: mapping.function)
def test_a_consumer_reports_single_failures_and_keeps_the_limits_of_its_mapping(mapping: Any) -> None:
    assert mapping.partial_failures
    assert mapping.max_concurrency >= 2
    assert 1 <= mapping.batch_size <= 10_000
    assert mapping.batch_size <= 10 or mapping.window_seconds >= 1


@pytest.mark.parametrize("mapping", TEMPLATE.mappings, ids=lambda mapping: mapping.function)
def test_a_consumed_queue_gives_up_to_a_dead_letter_queue_that_keeps_longer_and_raises_an_alarm(mapping: Any) -> None:
    queue = TEMPLATE.queues[mapping.queue]
    target = RESOURCES[mapping.queue]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
    watched = [
        r["Properties"]["Dimensions"][0]["Value"]
        for r in RESOURCES.values()
        if r["Type"] == "AWS::CloudWatch::Alarm" and r["Properties"].get("Namespace") == "AWS/SQS"
    ]

    assert target == {"Fn::GetAtt": [queue.dead_letter, "Arn"]}
    assert queue.dead_letter is not None
    assert TEMPLATE.queues[queue.dead_letter].retention_seconds > queue.retention_seconds
    assert (queue.max_receives or 0) >= 3
    assert {"Fn::GetAtt": [queue.dead_letter, "QueueName"]} in watched


@pytest.mark.parametrize("mapping", TEMPLATE.mappings, ids=lambda mapping: mapping.function)
def test_nobody_s_queue_but_the_consumed_one_may_give_up_to_its_dead_letter_queue(mapping: Any) -> None:
    """Named, since the consumed queue refers to the other already."""
    name = RESOURCES[mapping.queue]["Properties"]["QueueName"]["Fn::Sub"]
    allowed = RESOURCES[str(TEMPLATE.queues[mapping.queue].dead_letter)]["Properties"]["RedriveAllowPolicy"]

    assert allowed["redrivePermission"] == "byQueue"
    assert allowed["sourceQueueArns"] == [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"}
    ]


def test_every_queue_is_consumed_or_is_a_dead_letter_queue() -> None:
    consumed = {mapping.queue for mapping in TEMPLATE.mappings}

    assert set(TEMPLATE.queues) == consumed | {str(TEMPLATE.queues[name].dead_letter) for name in consumed}


# ---- Permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_may_send_to_exactly_the_queues_that_its_code_sends_to(package: str) -> None:
    folder = ROOT / "functions" / package
    needed = ALL_QUEUES if package == "sweep_outbox" else {queue for queue in ALL_QUEUES if sends_to(folder, queue)}
    grants = _granted(FUNCTIONS[_logical_id(package)], "SQSSendMessagePolicy")
    granted = {grant["QueueName"]["Fn::GetAtt"][0] for grant in grants}

    assert granted == {"".join(word.title() for word in queue.split("_")) + "Queue" for queue in needed}


@pytest.mark.parametrize("package", PACKAGES)
def test_only_who_uses_the_platform_secrets_may_open_them(package: str) -> None:
    uses = not names_called(ROOT / "functions" / package).isdisjoint(
        callers_of("keyed_digest", "current_key", "key_versions")
    )
    contexts = list(iter_route_contexts(routers()[package].routes)) if package in routers() else []
    requirements = [requirement_of(context) for context in contexts if isinstance(context.original_route, APIRoute)]  # type: ignore[arg-type]
    checks_credentials = any(requirement is not None and requirement.kind != "public" for requirement in requirements)

    granted = bool(_granted(FUNCTIONS[_logical_id(package)], "KMSDecryptPolicy"))
    assert granted == (uses or checks_credentials)


# ---- Schedules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", TEMPLATE.schedules, ids=lambda schedule: schedule.function)
def test_a_schedule_is_one_that_aws_understands(schedule: Any) -> None:
    """EventBridge: cron has six fields, of which day of month or day of week is `?`; a rate of one is singular."""
    cron = re.fullmatch(r"cron\((.+)\)", schedule.expression)
    if cron:
        fields = cron[1].split()
        assert len(fields) == 6
        assert (fields[2] == "?") != (fields[4] == "?")
        assert next_cron(schedule.expression, clock.now()) > clock.now()
    else:
        rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", schedule.expression)
        assert rate is not None
        assert (rate[3] == "") == (rate[1] == "1")
        assert rate_seconds(schedule.expression) is not None


@pytest.mark.parametrize("schedule", TEMPLATE.schedules, ids=lambda schedule: schedule.function)
def test_a_job_ends_before_it_is_due_again(schedule: Any) -> None:
    period = rate_seconds(schedule.expression) or 86_400

    assert TEMPLATE.functions[schedule.function].timeout_seconds < period
