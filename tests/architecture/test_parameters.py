"""A wrong parameter fails before anything is deployed, with a sentence that names it.

What CloudFormation does with a template's limits and rules is done here: patterns match a whole value or each member of a
list, and rules are evaluated over the parameters as given.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

import re
from pathlib import Path
from typing import Any

import pytest

from local.template import read_document

DOCUMENT = read_document(Path(__file__).resolve().parents[2] / "template.yaml")
PARAMETERS: dict[str, dict[str, Any]] = DOCUMENT["Parameters"]
RULES: dict[str, dict[str, Any]] = DOCUMENT["Rules"]
ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000"

WRONG: dict[str, list[str]] = {
    "Environment": ["prod", ""],
    "Release": ["", "1.0", "1.0.0 beta"],
    "TrafficShift": ["Canary"],
    "WebhookSourceIps": ["1.2.3", "example.com", "1.2.3.4;5.6.7.8", "1.2.3.400"],
    "AlarmTopicArn": ["alarms", "arn:aws:sqs:eu-west-1:123456789012:alarms"],
    "LogRetentionDays": ["31", "forever"],
    "PublicUrl": [
        "http://api.example.com",
        "https://api.example.com/v1",
        "api.example.com",
        "https://api.example.com:8443",
    ],
    "TrackingUrl": ["http://links.example.com", "https://links.example.com/t"],
    "ConsoleOrigins": ["console.example.com", "https://console.example.com/", "https://" + "a" * 160],
    "CertificateArn": [ARN, "certificate"],
    "PriceClass": ["PriceClass_300"],
    "ApiRequestsPerSecond": ["0", "10001", "many"],
    "ApiBurst": ["0", "5001"],
    "VpcId": ["my-vpc", "vpc-XYZ"],
    "SubnetIds": ["my-subnet", "vpc-0a1b2c3d"],
    "SecurityGroupIds": ["default", "subnet-0a1b2c3d"],
    "AddressRange": ["10.64.0.0", "10.64.300.0/20", "10.64.0.0/8", "10.64.0.0/29", "172.31.0.0/16", "range"],
    "NatGateways": ["0", "3"],
    "FunctionConcurrency": ["-1", "101"],
    "DatabaseAddress": ["postgresql://db/penguinmails", "me:secret@db/penguinmails", "db"],
    "DatabaseResourceId": ["my-cluster"],
    "DatabaseAuth": ["password"],
    "DatabaseMinCapacity": ["-1", "0.7", "256"],
    "DatabaseMaxCapacity": ["0", "7", "512"],
    "DatabaseReplicas": ["2"],
    "DatabaseBackupDays": ["0", "36"],
    "RedisUrl": ["redis://cache:6379", "rediss://me:secret@cache:6379"],
    "CacheMaxGigabytes": ["0", "5001"],
    "CacheMaxUnitsPerSecond": ["999", "15000001"],
    "VaultAddr": ["http://vault:8200", "https://me:secret@vault:8200", ""],
    "VaultNamespace": ["my namespace", "/admin"],
    "VaultAuthMount": ["", "aws mount"],
    "PlatformSecretsKeyId": ["alias/platform", "arn:aws:kms:eu-west-1:123456789012:key/x", ""],
    "PlatformSecretsWrapped": ["secret", "", "A" * 1604],
    "SmtpHost": ["", "smtp://mail.example.com", "mail.example.com:587"],
    "SmtpPort": ["0", "65536", "smtp"],
    "SmtpSecurity": ["none", "ssl", ""],
    "SecurityContact": ["", "security@example.com", "mailto:security", "http://example.com/security"],
    "MailFrom": ["PenguinMails", "no-reply", "a@b"],
    "ReplyDomain": ["reply@example.com", "https://reply.example.com", "localhost"],
}
RIGHT: dict[str, list[str]] = {
    "Environment": ["dev", "production"],
    "WebhookSourceIps": ["", "192.0.2.1", "192.0.2.1,192.0.2.2"],
    "ConsoleOrigins": ["", "https://console.example.com", "https://a.example.com,https://b.example.com"],
    "SubnetIds": ["", "subnet-0a1b2c3d,subnet-0a1b2c3e"],
    "SecurityGroupIds": ["", "sg-0a1b2c3d"],
    "AddressRange": ["10.64.0.0/20", "10.0.0.0/16"],
    "VaultAddr": ["https://vault.example.com:8200", "https://vault.example.com"],
    "VaultNamespace": ["", "admin", "admin/team"],
    "PlatformSecretsKeyId": ["0a1b2c3d-0000-0000-0000-000000000000"],
    "PlatformSecretsWrapped": ["AQICAHg" + "A" * 60],
    "SmtpHost": ["mail.example.com"],
    "SmtpSecurity": ["starttls", "tls"],
    "SecurityContact": ["mailto:security@example.com", "https://example.com/security", "tel:+1-201-555-0123"],
    "MailFrom": ["PenguinMails <no-reply@penguinmails.com>", "no-reply@penguinmails.com"],
    "ReplyDomain": ["", "reply.example.com"],
}


def refusal(name: str, value: str) -> str | None:
    """What CloudFormation says of a value of a parameter by itself; None when it takes it."""
    declaration = PARAMETERS[name]
    members = value.split(",") if declaration["Type"] == "CommaDelimitedList" else [value]
    if all(_is_within(declaration, member) for member in members):
        return None
    return declaration.get("ConstraintDescription", f"Parameter {name} failed to satisfy constraint")


def _is_within(declaration: dict[str, Any], value: str) -> bool:
    if declaration["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        allowed = [float(found) for found in declaration.get("AllowedValues", [number])]
        lowest, highest = declaration.get("MinValue", number), declaration.get("MaxValue", number)
        return number in allowed and float(lowest) <= number <= float(highest)
    if value not in map(str, declaration.get("AllowedValues", [value])):
        return False
    if len(value) > declaration.get("MaxLength", len(value)):
        return False
    return re.fullmatch(declaration.get("AllowedPattern", ".*"), value) is not None


def broken_rules(given: dict[str, str]) -> list[str]:
    """What the template's rules say of parameters together."""
    values = {name: str(declaration.get("Default", "")) for name, declaration in PARAMETERS.items()} | given
    return [
        assertion["AssertDescription"]
        for rule in RULES.values()
        if _holds(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
        if not _holds(assertion["Assert"], values)
    ]


def _holds(condition: Any, values: dict[str, str]) -> bool:
    if isinstance(condition, bool):
        return condition
    ((function, arguments),) = condition.items()
    match function:
        case "Fn::And" | "Fn::Or":
            return (all if function == "Fn::And" else any)(_holds(part, values) for part in arguments)
        case "Fn::Not":
            return not _holds(arguments[0], values)
        case "Fn::Equals":
            return _value(arguments[0], values) == _value(arguments[1], values)
        case "Fn::Contains":
            return _value(arguments[1], values) in arguments[0]
        case "Fn::EachMemberEquals":
            return all(member == arguments[1] for member in _value(arguments[0], values).split(","))
        case _:
            raise AssertionError(f"a rule uses {function}: say here what it means")


def _value(part: Any, values: dict[str, str]) -> str:
    return values[part["Ref"]] if isinstance(part, dict) else str(part)


def test_every_parameter_has_wrong_values_that_are_told_apart_here() -> None:
    assert set(WRONG) == set(PARAMETERS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_with_a_sentence_that_names_its_parameter(name: str, value: str) -> None:
    said = refusal(name, value)

    assert said is not None, f"{name} takes {value!r}"
    assert said.startswith(f"{name} must be")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_a_right_value_is_taken(name: str, value: str) -> None:
    assert refusal(name, value) is None


@pytest.mark.parametrize("name", [name for name, declaration in PARAMETERS.items() if "Default" in declaration])
def test_a_default_is_a_right_value(name: str) -> None:
    assert refusal(name, str(PARAMETERS[name]["Default"])) is None


NETWORK = {"VpcId": "vpc-0a1b2c3d", "SubnetIds": "subnet-0a1b2c3d", "SecurityGroupIds": "sg-0a1b2c3d"}
DATABASE = {"DatabaseAddress": "db.example:5432/penguinmails", "DatabaseResourceId": "cluster-ABC123"}
TRACKING = {"TrackingUrl": "https://links.example.com", "CertificateArn": ARN.replace("eu-west-1", "us-east-1")}


@pytest.mark.parametrize(
    "given",
    [{}, NETWORK, DATABASE, {**DATABASE, "DatabaseResourceId": "", "DatabaseAuth": "none"}, TRACKING],
    ids=["all new", "a network", "a database", "a database without passwords", "a name for links"],
)
def test_parameters_that_belong_together_are_taken_together(given: dict[str, str]) -> None:
    assert broken_rules(given) == []


@pytest.mark.parametrize("most", PARAMETERS["DatabaseMaxCapacity"]["AllowedValues"])
@pytest.mark.parametrize("least", PARAMETERS["DatabaseMinCapacity"]["AllowedValues"])
def test_the_database_s_capacities_are_taken_in_their_order_only(least: str, most: str) -> None:
    broken = broken_rules({"DatabaseMinCapacity": least, "DatabaseMaxCapacity": most})

    assert bool(broken) == (float(least) > float(most))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        *(({name: value}, "VpcId, SubnetIds and SecurityGroupIds") for name, value in NETWORK.items()),
        *(({**NETWORK, name: ""}, "VpcId, SubnetIds and SecurityGroupIds") for name in NETWORK),
        ({**DATABASE, "DatabaseResourceId": ""}, "DatabaseResourceId"),
        ({"DatabaseAuth": "none"}, "DatabaseAddress"),
        ({**TRACKING, "CertificateArn": ""}, "CertificateArn"),
        *(({"DatabaseMinCapacity": "16", "DatabaseMaxCapacity": most}, "DatabaseMinCapacity") for most in ("1", "8")),
    ],
    ids=str,
)
def test_parameters_that_lack_one_another_are_refused_with_a_sentence_that_names_them(
    given: dict[str, str], named: str
) -> None:
    (said,) = broken_rules(given)

    assert named in said


def test_every_rule_is_tried_here() -> None:
    assert set(RULES) == {
        "TheDatabaseDoesNotShrink", "AnExistingNetworkIsNamedInFull",
        "AnExistingDatabaseSaysWhoMayConnect", "ANewDatabaseHasNoPasswords",
        "ATrackingNameHasItsCertificate",
    }  # fmt: skip
