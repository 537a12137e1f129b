"""Reads template.yaml: the one place that says which functions, routes, queues and schedules there are.

Intrinsic functions are resolved as far as one machine needs: parameters have values given here, queues have names and
ARNs made of their logical ids, conditions decide `!If`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACCOUNT, REGION = "000000000000", "eu-west-1"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # the quicker one where it was built
    """YAML with CloudFormation's tags: `!Ref x` becomes {"Ref": "x"}, `!GetAtt a.b` {"Fn::GetAtt": ["a", "b"]}."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # pyright: ignore[reportArgumentType]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)
_NO_VALUE = object()


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function; `environment` holds what the template sets, resolved."""

    name: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: dict[str, str]
    reserved_concurrency: int | None


@dataclass(frozen=True, slots=True)
class Route:
    """One HttpApi route: `method` is ANY or a verb, `path` has `{name}` and `{proxy+}` parts, or is `$default`."""

    method: str
    path: str
    function: str
    timeout_seconds: float

    @property
    def key(self) -> str:
        """API Gateway's route key."""
        return "$default" if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Queue:
    """One SQS queue; `dead_letter` is the name of the queue that takes what failed `max_receives` times."""

    name: str
    visibility_seconds: int
    retention_seconds: int
    dead_letter: str | None
    max_receives: int | None


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """One event source mapping."""

    queue: str
    function: str
    batch_size: int
    window_seconds: int
    max_concurrency: int
    partial_failures: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule: `expression` is rate(...) or cron(...), `payload` the event."""

    function: str
    expression: str
    payload: dict[str, Any]


@dataclass(slots=True)
class Template:
    """Everything that the one-machine stack runs."""

    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    routes: list[Route] = field(default_factory=list[Route])
    queues: dict[str, Queue] = field(default_factory=dict[str, Queue])
    mappings: list[QueueMapping] = field(default_factory=list[QueueMapping])
    schedules: list[Schedule] = field(default_factory=list[Schedule])


def queue_arn(name: str) -> str:
    """The ARN of a queue of this stack."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


class _Resolver:
    def __init__(self, document: dict[str, Any], parameters: dict[str, str]) -> None:
        declared = document.get("Parameters", {})
        self.parameters: dict[str, Any] = {
            name: _typed(parameters.get(name, declaration.get("Default", "")), declaration)
            for name, declaration in declared.items()
        }
        self.conditions: dict[str, Any] = document.get("Conditions", {})

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::") or name == "Condition":
                return self._intrinsic(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return queue_arn(argument[0]) if argument[1] == "Arn" else str(argument[0])
            case "Fn::Sub":
                text, own = (argument, {}) if isinstance(argument, str) else argument
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._named(found[1], own)), text)
            case "Fn::Join":
                return str(argument[0]).join(map(str, self.resolve(argument[1])))
            case "Fn::If":
                return self.resolve(argument[1] if self.truth(self.conditions[argument[0]]) else argument[2])
            case "Condition":
                return self.truth(self.conditions[argument])
            case "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or":
                return self.truth({name: argument})
            case _:
                # What only AWS knows (zones, address ranges) does not matter to one machine.
                return {name: argument}

    def _named(self, name: str, own: dict[str, Any]) -> Any:
        return self.resolve(own[name]) if name in own else self._ref(name.partition(".")[0])

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        pseudo = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::StackName": "local"}
        return pseudo.get(name, self.parameters.get(name, name))

    def truth(self, condition: Any) -> Any:
        if not isinstance(condition, dict) or len(condition) != 1:
            return self.resolve(condition)
        ((name, argument),) = condition.items()
        match name:
            case "Fn::Equals":
                return self.resolve(argument[0]) == self.resolve(argument[1])
            case "Fn::Not":
                return not self.truth(argument[0])
            case "Fn::And":
                return all(self.truth(item) for item in argument)
            case "Fn::Or":
                return any(self.truth(item) for item in argument)
            case _:
                return self.resolve(condition)


def _typed(value: Any, declaration: dict[str, Any]) -> Any:
    if declaration["Type"] == "CommaDelimitedList" and isinstance(value, str):
        return value.split(",")
    return value


def read_document(file: Path) -> dict[str, Any]:
    """The template as it is written; `!Ref x` reads {"Ref": "x"}."""
    return yaml.load(file.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader


def read_template(file: Path, parameters: dict[str, str] | None = None) -> Template:
    """Read a SAM template; `parameters` override the defaults."""
    document = read_document(file)
    resolver = _Resolver(document, parameters or {})
    defaults = resolver.resolve(document.get("Globals", {}).get("Function", {}))
    template = Template()
    for name, resource in document["Resources"].items():
        properties = resolver.resolve(resource.get("Properties", {}))
        if resource["Type"] == "AWS::SQS::Queue":
            template.queues[name] = _queue(name, properties)
        elif resource["Type"] == "AWS::Serverless::Function":
            template.functions[name] = _function(name, properties, defaults)
            for event in properties.get("Events", {}).values():
                _add_event(template, name, event)
    return template


def _queue(name: str, properties: dict[str, Any]) -> Queue:
    redrive = properties.get("RedrivePolicy")
    return Queue(
        name=name,
        visibility_seconds=int(properties.get("VisibilityTimeout", 30)),
        retention_seconds=int(properties.get("MessageRetentionPeriod", 345_600)),
        dead_letter=redrive and redrive["deadLetterTargetArn"].rpartition(":")[2],
        max_receives=redrive and int(redrive["maxReceiveCount"]),
    )


def _function(name: str, properties: dict[str, Any], defaults: dict[str, Any]) -> Function:
    own = properties.get("Environment", {}).get("Variables", {})
    shared = defaults.get("Environment", {}).get("Variables", {})
    return Function(
        name=name,
        handler=properties["Handler"],
        timeout_seconds=int(properties.get("Timeout", defaults.get("Timeout", 3))),
        memory_mb=int(properties.get("MemorySize", defaults.get("MemorySize", 128))),
        environment={key: str(value) for key, value in {**shared, **own}.items()},
        reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
    )


def _add_event(template: Template, function: str, event: dict[str, Any]) -> None:
    properties = event.get("Properties", {})
    match event["Type"]:
        case "HttpApi":
            timeout = float(properties.get("TimeoutInMillis", 29_000)) / 1000
            method = str(properties.get("Method", "ANY")).upper()
            template.routes.append(Route(method, properties.get("Path", "$default"), function, timeout))
        case "SQS":
            template.mappings.append(
                QueueMapping(
                    queue=properties["Queue"].rpartition(":")[2],
                    function=function,
                    batch_size=int(properties.get("BatchSize", 10)),
                    window_seconds=int(properties.get("MaximumBatchingWindowInSeconds", 0)),
                    max_concurrency=int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 10)),
                    partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
                )
            )
        case "Schedule" | "ScheduleV2":
            expression = properties.get("ScheduleExpression") or properties["Schedule"]
            payload = yaml.safe_load(properties.get("Input", "{}"))
            template.schedules.append(Schedule(function, expression, payload))
        case other:
            raise ValueError(f"{function} has an event of type {other}, which the one-machine stack cannot run")
