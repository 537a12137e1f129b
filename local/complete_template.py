"""Writes what template.yaml needs once per function and queue: who may connect to the database, and what raises alarms.

`python -m local.complete_template` rewrites the marked part of template.yaml, the digest of its functions and
infrastructure/function_alarms.yaml; with `--check` it says what is out of date. Run it after a function or queue was added
or a property of a function changed: `make template`.
"""

import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from local.template import Template, read_document, read_template

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
ALARMS = ROOT / "infrastructure" / "function_alarms.yaml"
BEGIN = "  # ---- Written by `make template`: edit local/complete_template.py instead ------------------------------\n"
END = (
    "  # ---- End of what `make template` writes -------------------------------------------------------------------\n"
)
DIGEST = re.compile(r'(?<=- \[functions, ")\w*(?="])')
"""Where the digest of the functions stands in template.yaml."""
_FUNCTION = "AWS::Serverless::Function"
_NOT_IN_VERSIONS = {
    "AutoPublishAlias", "CodeUri", "DeploymentPreference", "Events", "Policies", "ReservedConcurrentExecutions",
    "VersionDescription",
}  # fmt: skip
"""Properties that are not part of a function's versions, or make a new one by themselves."""
_DATABASE_ROLES = {
    "Application": ("penguinmails_app", None),
    "Jobs": ("penguinmails_jobs", "JOBS_DATABASE_URL"),
    "Imports": ("penguinmails_import", "IMPORTS_DATABASE_URL"),
    "Owner": ("penguinmails_owner", "MIGRATIONS_DATABASE_URL"),
}
"""Name of the policy: database role, and the variable whose holders may use it; without one, all functions may."""

_POLICY = """\
  Database{name}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Connects to the database as {role}
      Roles:
{roles}
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: rds-db:connect
            Resource: !Sub
              - arn:${{AWS::Partition}}:rds-db:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:${{Id}}/{role}
              - Id: !If
                  - MakeDatabase
                  - !GetAtt Database.Outputs.ResourceId
                  - !If [UsesDatabaseTokens, !Ref DatabaseResourceId, none]

"""
_OWN_QUEUE = """\
  OnlyOwnQueueOf{name}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Takes messages from no queue but its own, whatever else allows it
      Roles: [!Ref {name}Role]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Deny
            Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility]
            NotResource: [{queues}]

"""
_STACK = """\
  FunctionAlarms:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      TemplateURL: infrastructure/function_alarms.yaml
      Parameters:
        AlarmTopicArn: !Ref AlarmTopicArn
{functions}
{queues}

"""
_ALARMS_HEAD = """\
# Written by `make template`: edit local/complete_template.py instead.
AWSTemplateFormatVersion: "2010-09-09"
Description: "PenguinMails: alarms of each function and each queue"

Parameters:
  AlarmTopicArn: { Type: String }
"""
_FUNCTION_ALARM = """\
  {name}Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: "{package} failed or was refused by Lambda. Runbook: function-failures"
      Metrics:
        - {{ Id: all, Expression: "FILL(errors, 0) + FILL(throttles, 0)", Label: failed, ReturnData: true }}
        - Id: errors
          ReturnData: false
          MetricStat:
            Stat: Sum
            Period: 300
            Metric: {{ Namespace: AWS/Lambda, MetricName: Errors, Dimensions: [{{ Name: FunctionName, Value: !Ref {name} }}] }}
        - Id: throttles
          ReturnData: false
          MetricStat:
            Stat: Sum
            Period: 300
            Metric: {{ Namespace: AWS/Lambda, MetricName: Throttles, Dimensions: [{{ Name: FunctionName, Value: !Ref {name} }}] }}
      EvaluationPeriods: 1
      Threshold: {threshold}
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

"""
_QUEUE_ALARM = """\
  {name}AgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: "Messages wait in {name} for over {minutes} minutes. Runbook: queue-age"
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{{ Name: QueueName, Value: !Ref {name} }}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 3
      Threshold: {seconds}
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

"""
_OLDEST_MESSAGE_SECONDS = {"ImportsQueue": 3600, "ExportsQueue": 3600, "CampaignEmailsQueue": 1800}
"""Where jobs queue up behind each other by design; everywhere else ten minutes are too long."""


def functions_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of the functions by logical id."""
    return {n: r["Properties"] for n, r in document["Resources"].items() if r["Type"] == _FUNCTION}


def functions_digest(document: dict[str, Any]) -> str:
    """Another text whenever a version of a function would be another one by what the template says of it."""
    versioned = [properties for properties in functions_of(document).values() if "VersionDescription" in properties]
    said = [
        {name: value for name, value in properties.items() if name not in _NOT_IN_VERSIONS}
        for properties in [document["Globals"]["Function"], *versioned]
    ]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _variables(properties: dict[str, Any]) -> set[str]:
    return set(properties.get("Environment", {}).get("Variables", {}))


def database_users(functions: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Which functions may connect as which database role, by the name of the policy."""
    return {
        name: [f for f, properties in functions.items() if needs is None or needs in _variables(properties)]
        for name, (_, needs) in _DATABASE_ROLES.items()
    }


def block(document: dict[str, Any], template: Template) -> str:
    """The marked part of template.yaml."""
    functions = functions_of(document)
    policies = "".join(
        _POLICY.format(
            name=name, role=_DATABASE_ROLES[name][0], roles="\n".join(f"        - !Ref {user}Role" for user in users)
        )
        for name, users in database_users(functions).items()
    )
    consumers = {mapping.function for mapping in template.mappings}
    own_queues = "".join(
        _OWN_QUEUE.format(name=name, queues=", ".join(f"!GetAtt {queue}.Arn" for queue in _queues_of(name, template)))
        for name in functions
        if name in consumers
    )
    stack = _STACK.format(
        functions="\n".join(f"        {name}: !Ref {name}" for name in functions),
        queues="\n".join(f"        {name}: !GetAtt {name}.QueueName" for name in _consumed(template)),
    )
    return BEGIN + "\n" + policies + own_queues + stack + END


def _queues_of(function: str, template: Template) -> list[str]:
    return [mapping.queue for mapping in template.mappings if mapping.function == function]


def _consumed(template: Template) -> list[str]:
    return list(dict.fromkeys(mapping.queue for mapping in template.mappings))


def alarms(document: dict[str, Any], template: Template) -> str:
    """The text of infrastructure/function_alarms.yaml."""
    functions = functions_of(document)
    parameters = "".join(f"  {name}: {{ Type: String }}\n" for name in [*functions, *_consumed(template)])
    for_functions = "".join(
        _FUNCTION_ALARM.format(name=name, package=properties["Handler"].partition(".")[0], threshold=0)
        for name, properties in functions.items()
    )
    for_queues = "".join(
        _QUEUE_ALARM.format(name=name, seconds=seconds, minutes=seconds // 60)
        for name in _consumed(template)
        for seconds in [_OLDEST_MESSAGE_SECONDS.get(name, 600)]
    )
    conditions = '\nConditions:\n  HasAlarmTopic: !Not [!Equals [!Ref AlarmTopicArn, ""]]\n\nResources:\n'
    return _ALARMS_HEAD + parameters + conditions + for_functions + for_queues.rstrip() + "\n"


def completed() -> dict[Path, str]:
    """Every file that is written here, with the text that it should have."""
    text = TEMPLATE.read_text()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise SystemExit(f"template.yaml lacks the line {BEGIN.strip()!r} or {END.strip()!r}; put both back")
    document, template = read_document(TEMPLATE), read_template(TEMPLATE)
    before, digests = DIGEST.subn(functions_digest(document), before)
    if digests != 1:
        raise SystemExit('template.yaml lacks `- [functions, ""]` in the Configuration of Migrations; put it back')
    return {TEMPLATE: before + block(document, template) + after, ALARMS: alarms(document, template)}


def main(*, check: bool) -> int:
    """Write what has changed; with `check` only say it and return 1."""
    stale = [file for file, text in completed().items() if not file.exists() or file.read_text() != text]
    for file in stale:
        if check:
            print(f"{file.relative_to(ROOT)} is out of date: run 'make template'")
        else:
            file.write_text(completed()[file])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
