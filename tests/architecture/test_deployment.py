"""What a deploy makes besides functions: networks, data, edge, alarms, and that they fit each other."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from local.complete_template import completed, functions_of
from local.template import read_document
from penguinmails.platform_secrets import PURPOSES

ROOT = Path(__file__).resolve().parents[2]
MAIN = read_document(ROOT / "template.yaml")
NESTED = {file.name: read_document(file) for file in sorted((ROOT / "infrastructure").glob("*.yaml"))}
TEMPLATES = {"template.yaml": MAIN, **NESTED}
DEFAULTS = {name: declaration.get("Default") for name, declaration in MAIN["Parameters"].items()}
CONNECTIONS_PER_ACU = 100
"""About what Aurora grants for each ACU of the highest capacity; its own share is taken off."""
OF_A_NEW_ACCOUNT = 1000 - 100
"""Executions that an account may reserve (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
RESOURCES = [
    (file, name, resource) for file, document in TEMPLATES.items() for name, resource in document["Resources"].items()
]


def _of_type(kind: str) -> list[Any]:
    return [pytest.param(r, id=f"{file}:{name}") for file, name, r in RESOURCES if r["Type"] == kind]


def _reserved(properties: dict[str, Any]) -> int:
    own = properties.get("ReservedConcurrentExecutions", {"Ref": "FunctionConcurrency"})
    chosen = own["Fn::If"][1] if isinstance(own, dict) and "Fn::If" in own else own
    return int(DEFAULTS[chosen["Ref"]] if isinstance(chosen, dict) else chosen)


def test_what_is_written_once_per_function_and_queue_is_complete() -> None:
    stale = [file.name for file, text in completed().items() if file.read_text() != text]

    assert stale == [], "run 'make template'"


def test_functions_cannot_take_more_connections_than_the_database_has() -> None:
    functions = functions_of(MAIN)
    second = {"JOBS_DATABASE_URL", "IMPORTS_DATABASE_URL"}
    connections = sum(
        _reserved(p) * (1 + len(second & set(p.get("Environment", {}).get("Variables", {}))))
        for p in functions.values()
    )

    assert connections <= DEFAULTS["DatabaseMaxCapacity"] * CONNECTIONS_PER_ACU


def test_an_account_may_reserve_as_many_executions() -> None:
    assert sum(map(_reserved, functions_of(MAIN).values())) <= OF_A_NEW_ACCOUNT


def test_a_queue_hands_out_no_more_batches_than_its_consumer_may_take() -> None:
    for name, properties in functions_of(MAIN).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert event["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= _reserved(properties), name


def test_the_range_of_the_database_s_capacity_is_one() -> None:
    low, high = DEFAULTS["DatabaseMinCapacity"], DEFAULTS["DatabaseMaxCapacity"]

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
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("resource", _of_type("AWS::Logs::LogGroup"))
def test_a_log_ends_and_is_encrypted(resource: dict[str, Any]) -> None:
    assert resource["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert resource["Properties"]["KmsKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}


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


def test_every_function_waits_for_the_migrations_but_the_one_that_makes_them() -> None:
    assert MAIN["Globals"]["Function"]["Environment"]["Variables"]["SCHEMA"] == {"Fn::GetAtt": ["Migrations", "Schema"]}
    overwriting = [
        name
        for name, properties in functions_of(MAIN).items()
        if "SCHEMA" in properties.get("Environment", {}).get("Variables", {})
    ]
    assert overwriting == ["DatabaseFunction"]


def test_every_address_of_the_api_goes_to_it_and_not_to_the_console() -> None:
    config = NESTED["edge.yaml"]["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    patterns = [b["PathPattern"] for b in config["CacheBehaviors"] if b["TargetOriginId"] == "api"]
    for properties in functions_of(MAIN).values():
        for event in properties.get("Events", {}).values():
            path = event["Properties"].get("Path", "$default") if event["Type"] == "HttpApi" else "$default"
            if path != "$default":
                assert any(fnmatch(path, pattern) or fnmatch(f"{path}/", pattern) for pattern in patterns), path


def test_cloudfront_sends_the_secret_that_the_functions_ask_for() -> None:
    asked = MAIN["Globals"]["Function"]["Environment"]["Variables"]["ORIGIN_SECRET"]
    origins = NESTED["edge.yaml"]["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    sent = {o["Id"]: o.get("OriginCustomHeaders", []) for o in origins}

    assert asked == {"Fn::Sub": "{{resolve:secretsmanager:${OriginSecret}:SecretString}}"}
    assert [header["HeaderName"] for header in sent["api"]] == ["x-origin-secret"]
    assert sent["console"] == []


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
