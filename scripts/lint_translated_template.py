"""Translates template.yaml as CloudFormation's SAM transform would and lints the outcome.

Nested templates are linted as they are. IAM statements on every resource need a reason that is written down here.

Linting the template as written misses what only the translated resources show (a queue's visibility below its
consumer's timeout, an unknown architecture, a misspelt attribute in Globals). Runs in the SAM CLI's environment, without
network and without credentials: `.tools/sam/bin/python scripts/lint_translated_template.py template.yaml`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-west-1"
HOOK = "DatabaseFunction"
CONFIGURATION = {"Fn::GetAtt": ["Migrations", "Configuration"]}
ABOUT_FORM_ONLY = [
    "W2001",  # the translator puts the value of TrafficShift in its place
    "W3002",  # nested templates, which a deploy uploads
    "W1030",  # empty ids of an existing network, which a rule of the template excludes
    "W1020",  # the translator writes Fn::Sub around texts that need none
    "W3037",  # the translator's policy templates use actions that the linter's list does not know
]
ON_EVERY_RESOURCE = {
    # A function in a VPC has network interfaces, which AWS makes and removes by the function's role. They have no name
    # before they are made, and the calls that list them know no resources.
    "service-role/AWSLambdaVPCAccessExecutionRole",
    # Writing logs: the managed policy names every log group, but the log group's name is chosen by the template alone.
    "service-role/AWSLambdaBasicExecutionRole",
    # Consumers: it reads any queue; `make template` writes each a denial for all but its own.
    "service-role/AWSLambdaSQSQueueExecutionRole",
    # CodeDeploy moves aliases, reads alarms and calls hooks of this account.
    "service-role/AWSCodeDeployRoleForLambda",
}
"""Managed policies that reach every resource, and why that cannot be narrower."""
UNIQUE_NAMES = {
    "AWS::Scheduler::Schedule": ["Name"],
    "AWS::Events::Rule": ["Name"],
    "AWS::Lambda::Function": ["FunctionName"],
    "AWS::IAM::Role": ["RoleName"],
    "AWS::IAM::ManagedPolicy": ["ManagedPolicyName"],
    "AWS::S3::Bucket": ["BucketName"],
    "AWS::SQS::Queue": ["QueueName"],
    "AWS::Logs::LogGroup": ["LogGroupName"],
    "AWS::KMS::Alias": ["AliasName"],
    "AWS::SecretsManager::Secret": ["Name"],
    "AWS::CodeDeploy::Application": ["ApplicationName"],
    "AWS::CloudWatch::Alarm": ["AlarmName"],
    "AWS::CloudWatch::Dashboard": ["DashboardName"],
}
"""Properties that hold a name which an account and region, or all the world, has once."""
MAX_RESOURCES, MAX_TEMPLATE_BYTES, MAX_ROUTES, MAX_POLICIES_OF_A_ROLE, MAX_FUNCTION_POLICY_BYTES = (
    500,
    1_000_000,
    300,
    10,
    20_480,
)
"""What AWS takes without being asked for more.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
RESOURCES_KEPT_FREE = 20
"""So that a fix in a hurry never finds the stack full."""
_PERMISSION_BYTES = 500
"""One statement of a function's policy, with ARNs of long names."""


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """The plain CloudFormation form. Local code folders stand where a deploy puts S3 addresses."""
    uploaded = "s3://bucket/code.zip"
    template["Globals"]["Function"]["CodeUri"] = uploaded
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = uploaded
    session = boto3.Session(region_name=REGION)
    return Translator({}, Parser(), boto_session=session).translate(template, {})


def too_wide(translated: dict[str, Any]) -> Iterator[str]:
    """Statements that allow something on every resource, and managed policies without a reason."""
    for name, resource in translated["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for arn in properties.get("ManagedPolicyArns", []):
                if not any(json.dumps(arn).rstrip('"').endswith(allowed) for allowed in ON_EVERY_RESOURCE):
                    yield f"{name} has the managed policy {arn}; say why in ON_EVERY_RESOURCE or name the resources"
        if resource["Type"].startswith("AWS::IAM::"):
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            allowing = [s for document in documents for s in document["Statement"] if s["Effect"] == "Allow"]
            for statement in allowing:
                resources = (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                )
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                if "*" in resources or any(action.endswith(":*") for action in actions):
                    yield f"{name} allows {actions} on {resources}; name the resources and actions"


def unasked(translated: dict[str, Any]) -> Iterator[str]:
    """Versions that calls move to without a question whether database and Vault are in reach."""
    for name, resource in translated["Resources"].items():
        shift = resource.get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate")
        if shift is not None and shift.get("BeforeAllowTrafficHook") != {"Ref": HOOK}:
            yield f"{name} moves calls without asking {HOOK}; see DeploymentPreference in Globals"
    name = json.dumps(translated["Resources"][HOOK]["Properties"].get("FunctionName", ""))
    if "CodeDeployHook_" not in name:
        yield f"{HOOK} needs a name that begins with CodeDeployHook_, or CodeDeploy's role may not invoke it"


def over_limits(translated: dict[str, Any]) -> Iterator[str]:
    """What AWS would refuse in the middle of a deploy, because there is too much of it."""
    resources = translated["Resources"]
    routes = [path for r in resources.values() for path in r.get("Properties", {}).get("Body", {}).get("paths", {})]
    callers = Counter(
        json.dumps(r["Properties"]["FunctionName"]) for r in _of_type(resources, "AWS::Lambda::Permission")
    )
    attached = Counter(
        role["Ref"] for r in _of_type(resources, "AWS::IAM::ManagedPolicy") for role in r["Properties"]["Roles"]
    )
    for name, role in resources.items():
        if role["Type"] == "AWS::IAM::Role":
            attached[name] += len(role["Properties"].get("ManagedPolicyArns", []))
    size = len(json.dumps(translated, separators=(",", ":")))
    found = [
        ("resources of the stack", len(resources), MAX_RESOURCES),
        ("bytes of the translated template", size, MAX_TEMPLATE_BYTES),
        ("routes of the API", len(routes), MAX_ROUTES),
        ("managed policies of a role", max(attached.values()), MAX_POLICIES_OF_A_ROLE),
        ("bytes of a function's own policy", max(callers.values()) * _PERMISSION_BYTES, MAX_FUNCTION_POLICY_BYTES),
    ]
    print(", ".join(f"{what}: {count} of {most}" for what, count, most in found))
    yield from (f"{what}: {count}, and AWS takes {most}" for what, count, most in found if count > most)
    if MAX_RESOURCES - RESOURCES_KEPT_FREE < len(resources) <= MAX_RESOURCES:
        yield (
            f"resources of the stack: {len(resources)}, and the last {RESOURCES_KEPT_FREE} of {MAX_RESOURCES} stay free; "
            "move what belongs together into a template of infrastructure/ (docs/decisions/0009-short-addresses.md)"
        )


def unpublished(translated: dict[str, Any]) -> Iterator[str]:
    """Versions that stay as they are when a layer or a parameter changes."""
    for version in _of_type(translated["Resources"], "AWS::Lambda::Version"):
        function = version["Properties"]["FunctionName"]["Ref"]
        if function != HOOK and version["Properties"].get("Description") != CONFIGURATION:
            yield f"{function} lacks VersionDescription: !GetAtt Migrations.Configuration; calls would stay where they are"


def taken_names(translated: dict[str, Any]) -> Iterator[str]:
    """Names that a second stack in the same account could not have as well."""
    for logical_id, resource in translated["Resources"].items():
        for property_name in UNIQUE_NAMES.get(resource["Type"], ()):
            if isinstance(resource["Properties"].get(property_name), str):
                yield f"{logical_id} has a fixed {property_name}; leave it to CloudFormation or put the stack's name in it"


def _of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources.values() if resource["Type"] == kind]


def _lint(text: str, config: ManualArgs) -> Iterator[str]:
    for finding in lint(text, config=config):
        where = "/".join(str(part) for part in finding.path or [])
        yield f"{finding.rule.id} {where}: {finding.message}"


def main(path: Path) -> int:
    """Print each finding as `file: rule path: message`; 1 when there is any."""
    try:
        translated = translate(yaml_parse(path.read_text()))
    except InvalidDocumentException as error:
        for cause in error.causes:
            print(cause.message)
        return 1
    config = ManualArgs(regions=[REGION], ignore_checks=ABOUT_FORM_ONLY)
    texts = {path.name: json.dumps(translated)}
    texts |= {file.name: file.read_text() for file in sorted((path.parent / "infrastructure").glob("*.yaml"))}
    findings = [f"{name}: {found}" for name, text in texts.items() for found in _lint(text, config)]
    findings += [*too_wide(translated), *unasked(translated), *unpublished(translated)]
    findings += [*taken_names(translated), *over_limits(translated)]
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
