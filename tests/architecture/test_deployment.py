"""What a deploy makes besides functions: networks, data, edge, alarms, and that they fit each other."""

import base64
import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from import_contacts.lanes import LANES
from local.complete_template import completed, functions_digest, functions_of
from local.template import read_document
from local.vault_commands import role_pattern
from penguinmails.platform_secrets import PURPOSES

ROOT = Path(__file__).resolve().parents[2]
MAIN = read_document(ROOT / "template.yaml")
NESTED = {file.name: read_document(file) for file in sorted((ROOT / "infrastructure").glob("*.yaml"))}
TEMPLATES = {"template.yaml": MAIN, **NESTED}
DEFAULTS = {name: declaration.get("Default") for name, declaration in MAIN["Parameters"].items()}
CONNECTIONS_PER_ACU = 100
"""About what Aurora grants for each ACU of the highest capacity; its own share is taken off."""
OF_AN_ACCOUNT = 1000 - 100
"""Executions that an account may reserve (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
RESOURCES = [
    (file, name, resource) for file, document in TEMPLATES.items() for name, resource in document["Resources"].items()
]


def _of_type(kind: str) -> list[Any]:
    return [pytest.param(r, id=f"{file}:{name}") for file, name, r in RESOURCES if r["Type"] == kind]


def _chosen(environment: str) -> dict[str, Any]:
    """The parameters of an environment of samconfig.toml, defaults included."""
    overrides = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"][
        "parameter_overrides"
    ]
    return DEFAULTS | dict(pair.split("=", 1) for pair in overrides)


ENVIRONMENTS = [pytest.param(_chosen(name), id=name) for name in ("default", "staging", "production")]


def _reserved(properties: dict[str, Any], chosen: dict[str, Any]) -> int:
    condition, reserved, otherwise = properties.get(
        "ReservedConcurrentExecutions", MAIN["Globals"]["Function"]["ReservedConcurrentExecutions"]
    )["Fn::If"]
    assert (condition, otherwise) == ("ReservesConcurrency", {"Ref": "AWS::NoValue"}), "0 has to reserve nothing"
    return int(chosen[reserved["Ref"]] if isinstance(reserved, dict) else reserved)


def test_what_is_written_once_per_function_and_queue_is_complete() -> None:
    stale = [file.name for file, text in completed().items() if file.read_text() != text]

    assert stale == [], "run 'make template'"


@pytest.mark.parametrize("chosen", ENVIRONMENTS)
def test_functions_cannot_take_more_connections_than_the_database_has(chosen: dict[str, Any]) -> None:
    # An import merges on several connections side by side, each of them as two roles.
    more = {"JOBS_DATABASE_URL": 1, "IMPORTS_DATABASE_URL": 2 * LANES - 1}
    connections = sum(
        _reserved(p, chosen) * (1 + sum(more.get(name, 0) for name in p.get("Environment", {}).get("Variables", {})))
        for p in functions_of(MAIN).values()
    )

    assert connections <= float(chosen["DatabaseMaxCapacity"]) * CONNECTIONS_PER_ACU


@pytest.mark.parametrize("chosen", ENVIRONMENTS)
def test_an_account_may_reserve_as_many_executions(chosen: dict[str, Any]) -> None:
    assert sum(_reserved(p, chosen) for p in functions_of(MAIN).values()) <= OF_AN_ACCOUNT


@pytest.mark.parametrize("chosen", [*ENVIRONMENTS, pytest.param(DEFAULTS | {"FunctionConcurrency": 1}, id="least")])
def test_a_queue_hands_out_no_more_batches_than_its_consumer_may_take(chosen: dict[str, Any]) -> None:
    for name, properties in functions_of(MAIN).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert event["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= _reserved(properties, chosen), name


@pytest.mark.parametrize("chosen", ENVIRONMENTS)
def test_the_range_of_the_database_s_capacity_is_one(chosen: dict[str, Any]) -> None:
    low, high = float(chosen["DatabaseMinCapacity"]), float(chosen["DatabaseMaxCapacity"])

    assert low < high
    assert (low * 2) % 1 == (high * 2) % 1 == 0


@pytest.mark.parametrize("name", [n for n, r in MAIN["Resources"].items() if r["Type"] == "AWS::CloudFormation::Stack"])
def test_a_nested_template_gets_exactly_the_parameters_that_it_needs(name: str) -> None:
    properties = MAIN["Resources"][name]["Properties"]
    nested = NESTED[Path(properties["TemplateURL"]).name]
    declared = nested["Parameters"]
    needed = {parameter for parameter, declaration in declared.items() if "Default" not in declaration}

    assert needed <= set(properties["Parameters"]) <= set(declared)


def _attributes(value: Any) -> list[list[str]]:
    if isinstance(value, dict):
        own = [value["Fn::GetAtt"]] if "Fn::GetAtt" in value else []
        return own + [found for item in value.values() for found in _attributes(item)]
    return [found for item in value for found in _attributes(item)] if isinstance(value, list) else []


def test_an_output_that_is_used_is_one_that_its_nested_template_has() -> None:
    used = [(name, attribute) for name, attribute in _attributes(MAIN) if attribute.startswith("Outputs.")]

    assert used
    for name, attribute in used:
        nested = NESTED[Path(MAIN["Resources"][name]["Properties"]["TemplateURL"]).name]
        assert attribute.removeprefix("Outputs.") in nested["Outputs"], (name, attribute)


@pytest.mark.parametrize("resource", _of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_cleared_up_and_kept(resource: dict[str, Any]) -> None:
    properties = resource["Properties"]

    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert properties["LifecycleConfiguration"]["Rules"]
    # A first deploy that fails leaves nothing behind that costs money.
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("bucket", ["FilesBucket", "ConsoleBucket"])
def test_a_bucket_is_reached_over_tls_only(bucket: str) -> None:
    policies = [r["Properties"] for _, _, r in RESOURCES if r["Type"] == "AWS::S3::BucketPolicy"]
    (policy,) = [found["PolicyDocument"]["Statement"] for found in policies if found["Bucket"] == {"Ref": bucket}]
    (denial,) = [statement for statement in policy if statement["Effect"] == "Deny"]

    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denial["Action"] == "s3:*"


@pytest.mark.parametrize("resource", _of_type("AWS::Logs::LogGroup"))
def test_a_log_ends_and_is_encrypted(resource: dict[str, Any]) -> None:
    assert resource["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert resource["Properties"]["KmsKeyId"] in ({"Fn::GetAtt": ["DataKey", "Arn"]}, {"Ref": "KeyArn"})


def test_the_database_s_log_is_made_before_the_database_would_make_one_that_never_ends() -> None:
    resources = NESTED["database.yaml"]["Resources"]
    exported = resources["Database"]["Properties"]["EnableCloudwatchLogsExports"]

    assert resources["Database"]["Properties"]["DBClusterIdentifier"] == {"Ref": "Name"}
    assert resources["Database"]["DependsOn"] == "Logs"
    assert exported == ["postgresql"]
    assert resources["Logs"]["Properties"]["LogGroupName"] == {"Fn::Sub": "/aws/rds/cluster/${Name}/postgresql"}


@pytest.mark.parametrize("resource", _of_type("AWS::SQS::Queue"))
def test_a_queue_is_encrypted(resource: dict[str, Any]) -> None:
    assert resource["Properties"]["SqsManagedSseEnabled"] is True


def _watched() -> set[str]:
    return set(re.findall(r"^  (\w+Function)Alarm:$", (ROOT / "infrastructure/function_alarms.yaml").read_text(), re.M))


@pytest.mark.parametrize("name", functions_of(MAIN))
def test_a_function_has_an_alarm_and_keeps_no_log_of_its_own(name: str) -> None:
    assert name in _watched()
    assert "LoggingConfig" not in functions_of(MAIN)[name]


def test_a_release_asks_before_it_moves_calls_and_goes_back_by_alarms_that_depend_on_no_function() -> None:
    preference = MAIN["Globals"]["Function"]["DeploymentPreference"]

    assert preference["Hooks"] == {"PreTraffic": {"Ref": "DatabaseFunction"}}
    assert preference["Alarms"] == [{"Ref": "ApiErrorsAlarm"}, {"Ref": "FailuresAlarm"}]
    for alarm in ("ApiErrorsAlarm", "FailuresAlarm"):
        assert "Dimensions" not in MAIN["Resources"][alarm]["Properties"]


def test_all_functions_of_a_release_can_be_asked_about_at_once() -> None:
    asked = [name for name, properties in functions_of(MAIN).items() if "VersionDescription" in properties]

    assert _reserved(functions_of(MAIN)["DatabaseFunction"], DEFAULTS) >= len(asked)


def test_the_guide_says_how_many_executions_are_reserved() -> None:
    found = re.search(
        r"(\d+) in all with `FunctionConcurrency=10`, (\d+) with 4", (ROOT / "docs/deploy.md").read_text()
    )
    assert found is not None

    for said, each in zip(found.groups(), (10, 4), strict=True):
        chosen = DEFAULTS | {"FunctionConcurrency": each}
        assert sum(_reserved(p, chosen) for p in functions_of(MAIN).values()) == int(said)


def test_every_function_waits_for_the_migrations_but_the_one_that_makes_them() -> None:
    configuration = {"Fn::GetAtt": ["Migrations", "Configuration"]}
    assert MAIN["Globals"]["Function"]["Environment"]["Variables"]["CONFIGURATION"] == configuration
    overwriting = [
        name
        for name, properties in functions_of(MAIN).items()
        if "CONFIGURATION" in properties.get("Environment", {}).get("Variables", {})
    ]
    assert overwriting == ["DatabaseFunction"]


def test_whatever_functions_are_given_makes_new_versions_when_it_changes() -> None:
    """SAM makes a version for changed code; for the rest, its description has to change and with it the function."""
    shared = MAIN["Globals"]["Function"]
    own = [p.get("Environment", {}) for p in functions_of(MAIN).values()]
    given = [shared[part] for part in ("Layers", "Environment", "VpcConfig", "LoggingConfig")] + own
    counted = MAIN["Resources"]["Migrations"]["Properties"]["Configuration"]
    conditions = {name: MAIN["Conditions"][name] for name in _conditions(given)}

    names = set(_references(given) + _references(conditions)) - {"AWS::NoValue", "Migrations", "Address"}
    assert names - set(_references(counted)) == set()
    for name, properties in functions_of(MAIN).items():
        moves = properties.get("AutoPublishAlias", shared["AutoPublishAlias"]) and name != "DatabaseFunction"
        assert ("VersionDescription" in properties) == bool(moves), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Timeout", 31),
        ("MemorySize", 2048),
        ("EphemeralStorage", {"Size": 1024}),
        ("Environment", {"Variables": {"VAULT_ROLE": "another"}}),
        ("SnapStart", {"ApplyOn": "PublishedVersions"}),
    ],
)
@pytest.mark.parametrize("where", ["Globals", "Resources"])
def test_what_the_template_alone_says_of_a_function_makes_new_versions_when_it_changes(
    where: str, name: str, value: object
) -> None:
    changed = copy.deepcopy(MAIN)
    properties = changed["Globals"]["Function"] if where == "Globals" else functions_of(changed)["MeFunction"]
    properties[name] = value

    assert functions_digest(changed) != functions_digest(MAIN)


@pytest.mark.parametrize("name", ["Policies", "Events", "ReservedConcurrentExecutions"])
def test_what_is_no_part_of_a_version_makes_none(name: str) -> None:
    """Lambda would answer a call for one that there is one already, and the deploy would fail."""
    changed = copy.deepcopy(MAIN)
    functions_of(changed)["MeFunction"][name] = []

    assert functions_digest(changed) == functions_digest(MAIN)


def _conditions(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["Fn::If"][0]} if "Fn::If" in value else set()
        return own.union(*(_conditions(item) for item in value.values()))
    return set().union(*(_conditions(item) for item in value)) if isinstance(value, list) else set()


def test_a_consumer_reads_no_queue_but_its_own() -> None:
    denials = {n: r["Properties"] for n, r in MAIN["Resources"].items() if n.startswith("OnlyOwnQueueOf")}
    own = {
        name: [e["Properties"]["Queue"] for e in properties.get("Events", {}).values() if e["Type"] == "SQS"]
        for name, properties in functions_of(MAIN).items()
    }

    assert {name.removeprefix("OnlyOwnQueueOf") for name in denials} == {name for name, queues in own.items() if queues}
    for name, properties in denials.items():
        function = name.removeprefix("OnlyOwnQueueOf")
        assert properties["Roles"] == [{"Ref": f"{function}Role"}]
        assert properties["PolicyDocument"]["Statement"][0]["NotResource"] == own[function]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own: list[str] = [value["Ref"]] if isinstance(value.get("Ref"), str) else []
        if "Fn::GetAtt" in value:
            own.append(value["Fn::GetAtt"][0])
        if "Fn::Sub" in value:
            text, names = (value["Fn::Sub"], {}) if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"]
            own += [name for name in re.findall(r"\$\{([^}!]+)\}", text) if name not in names]
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("file", TEMPLATES)
def test_what_a_template_refers_to_is_there(file: str) -> None:
    document = TEMPLATES[file]
    functions = [n for n, r in document["Resources"].items() if r["Type"] == "AWS::Serverless::Function"]
    # SAM makes a role for each function.
    known = {*document["Resources"], *document.get("Parameters", {}), *(f"{name}Role" for name in functions)}
    found = {name.partition(".")[0] for name in _references(document) if not name.startswith("AWS::")}

    assert found <= known, found - known


def test_the_guide_to_a_first_deploy_makes_every_key_of_the_platform() -> None:
    found = re.search(r'purposes = "([a-z_ ]+)"\.split\(\)', (ROOT / "docs" / "deploy.md").read_text())

    assert found is not None
    assert set(found[1].split()) == set(PURPOSES)


def test_the_guide_s_deploys_keep_the_parameters_of_their_environment() -> None:
    """On the command line they would take the place of the whole list in samconfig.toml."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.S)
    deploys = [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if "sam.sh deploy" in line]

    assert deploys
    for command in deploys:
        assert "--config-env" in command
        assert "--parameter-overrides" not in command


# ---- Lengths that AWS refuses only in the middle of a deploy ----------------------------------------------------------

LONGEST_ENVIRONMENT = 4096
"""Bytes of names and values of a function's variables
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""
KMS_OVERHEAD = 160
LONGEST = {
    "PlatformSecretsWrapped": "x" * MAIN["Parameters"]["PlatformSecretsWrapped"]["MaxLength"],
    "ConsoleOrigins": "x" * MAIN["Parameters"]["ConsoleOrigins"]["MaxLength"],
    "WebhookSourceIps": "255.255.255.255,255.255.255.255",
    "RedisUrl": "rediss://penguinmails-production-abcdef.serverless.apse2.cache.amazonaws.com:6379",
    "DatabaseAddress": "penguinmails-production.cluster-abcdefghijkl.ap-southeast-2.rds.amazonaws.com:5432/penguinmails"
    "?sslmode=verify-full&sslrootcert=/opt/certificates/database.pem",
    "VaultAddr": "https://penguinmails-vault-public-vault-0a1b2c3d.4e5f6a7b.z1.hashicorp.cloud:8200",
    "OriginSecret": "x" * 48,
    "FilesBucket": "x" * 63,
    "Migrations": "x" * 80,
    **dict.fromkeys(("PublicUrl", "TrackingUrl", "MailFrom", "SmtpHost", "ReplyDomain"), "x" * 48),
}
"""By what a variable's value refers to; all else is a word."""


def _longest(value: Any) -> str:
    if isinstance(value, str):
        return value
    around = value["Fn::Sub"][0] if isinstance(value.get("Fn::Sub"), list) else ""
    names = [name for name in _references(value) if name in LONGEST or name.endswith("Queue")]
    queue = "https://sqs.ap-southeast-2.amazonaws.com/123456789012/pm-production-{}-ABCDEFGHIJKLM"
    return around + max((LONGEST.get(name, queue.format(name)) for name in names), key=len, default="x" * 12)


@pytest.mark.parametrize("name", functions_of(MAIN))
def test_a_function_s_variables_fit_into_what_lambda_takes(name: str) -> None:
    own = functions_of(MAIN)[name].get("Environment", {}).get("Variables", {})
    variables = MAIN["Globals"]["Function"]["Environment"]["Variables"] | own

    assert sum(len(variable) + len(_longest(value)) for variable, value in variables.items()) <= LONGEST_ENVIRONMENT


def test_two_versions_of_every_platform_secret_fit_so_that_they_can_be_replaced() -> None:
    document = json.dumps({purpose: {"1": "x" * 44, "2": "x" * 44} for purpose in PURPOSES}).encode()
    wrapped = base64.b64encode(document + bytes(KMS_OVERHEAD))

    assert len(wrapped) <= MAIN["Parameters"]["PlatformSecretsWrapped"]["MaxLength"]


def test_a_stack_s_name_has_as_many_characters_as_the_guide_says() -> None:
    said = re.search(r"at most (\d+) characters: roles", (ROOT / "docs" / "deploy.md").read_text())
    assert said is not None

    longest = max(functions_of(MAIN), key=len)
    role_pattern("123456789012", "x" * int(said[1]), longest)
    with pytest.raises(ValueError, match="too long"):
        role_pattern("123456789012", "x" * (int(said[1]) + 1), longest)


@pytest.mark.parametrize("environment", ["default", "staging", "production"])
def test_names_that_are_made_of_the_stack_s_name_are_short_enough(environment: str) -> None:
    stack = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["global"]["parameters"]["stack_name"]
    nested = f"{stack}-Edge-ABCDEFGHIJKLM"

    for function in functions_of(MAIN):
        role_pattern("123456789012", stack, function)
    for resource in NESTED["edge.yaml"]["Resources"].values():
        if resource["Type"] == "AWS::CloudFront::Function":
            assert len(resource["Properties"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", nested)) <= 64
    assert len(f"CodeDeployHook_{stack}") <= 64
