"""The template as the AWS emulator can deploy it: what it lacks is left out or said in another way.

Starts from what `sam build` wrote. Left out, because the emulator has no such thing or only keeps a record of it: the
nested templates, traffic shifting, database tokens, log encryption. Routes are stated one by one, since the
emulator makes none from an API's document. Addresses of database, cache, Vault and mail are this machine's.
"""

from collections.abc import Callable
from typing import Any

from local.template import Function, Template

_FUNCTION = "AWS::Serverless::Function"
LEFT_OUT = {"AWS::Serverless::HttpApi", "AWS::IAM::ManagedPolicy", "AWS::CloudFormation::Stack"}
"""Types that the emulator is spared; `sam delete` does not understand where it keeps nested templates."""
_REMOVED_OF_FUNCTIONS = ("VpcConfig", "DeploymentPreference", "ReservedConcurrentExecutions", "Layers")
_GATEWAY = "Api"


def localise(
    document: dict[str, Any],
    template: Template,
    variables: Callable[[Function], dict[str, str]],
    *,
    visibility_seconds: dict[str, int],
) -> dict[str, Any]:
    """The localised document. `variables` gives a function's environment; some queues hand out messages sooner again."""
    resources: dict[str, Any] = {}
    for name, resource in document["Resources"].items():
        if resource["Type"] in LEFT_OUT:
            continue
        resources[name] = _resource(name, resource, template, variables, visibility_seconds)
    resources.update(_routes(template))
    functions = {k: v for k, v in document["Globals"]["Function"].items() if k not in _REMOVED_OF_FUNCTIONS}
    functions["Layers"] = document["Globals"]["Function"]["Layers"]
    functions["Environment"] = {"Variables": {"CONFIGURATION": {"Fn::GetAtt": ["Migrations", "Configuration"]}}}
    # The emulator runs functions by itself, on this machine's processor.
    functions["Architectures"] = ["x86_64"]
    outputs = {
        "ApiId": {"Value": {"Ref": _GATEWAY}},
        "OriginSecret": {"Value": {"Ref": "OriginSecret"}},
        "Schema": {"Value": {"Fn::GetAtt": ["Migrations", "Schema"]}},
    }
    return {**document, "Globals": {"Function": functions}, "Resources": resources, "Outputs": outputs, "Rules": {}}


def _resource(
    name: str,
    resource: dict[str, Any],
    template: Template,
    variables: Callable[[Function], dict[str, str]],
    visibility_seconds: dict[str, int],
) -> dict[str, Any]:
    properties = dict(resource.get("Properties", {}))
    changed = {**resource, "Properties": properties}
    match resource["Type"]:
        case "AWS::Serverless::Function":
            for removed in ("DeploymentPreference", "ReservedConcurrentExecutions"):
                properties.pop(removed, None)
            properties["Events"] = {k: e for k, e in properties.get("Events", {}).items() if e["Type"] == "SQS"}
            properties["Environment"] = {"Variables": _environment(resource, template.functions[name], variables)}
        case "AWS::SQS::Queue" if name in visibility_seconds:
            properties["VisibilityTimeout"] = visibility_seconds[name]
        case "AWS::Logs::LogGroup":
            properties.pop("KmsKeyId")
        case "AWS::Serverless::LayerVersion":
            properties["CompatibleArchitectures"] = ["x86_64"]
        case "Custom::Migrations":
            changed.pop("DependsOn")
            # The rest names what is left out here.
            references = [{"Ref": "CommonLayer"}, {"Ref": "DependenciesLayer"}, {"Ref": "Release"}]
            properties["Configuration"] = [references, properties["Configuration"][-1]]
        case _:
            pass
    return changed


def _environment(
    resource: dict[str, Any], function: Function, variables: Callable[[Function], dict[str, str]]
) -> dict[str, Any]:
    """What the template says where the emulator knows it, this machine's addresses for all else."""
    own = resource["Properties"].get("Environment", {}).get("Variables", {})
    here = {name: value for name, value in variables(function).items() if not name.endswith("_QUEUE_URL")}
    deployed = {name: {"Ref": queue} for name, queue in function.environment.items() if name.endswith("_QUEUE_URL")}
    secret = {"Fn::Sub": "{{resolve:secretsmanager:${OriginSecret}:SecretString}}"}
    order = {"CONFIGURATION": own["CONFIGURATION"]} if "CONFIGURATION" in own else {}
    kept = {
        name: value
        for name, value in function.environment.items()
        if name in {"REDIS_CLUSTER", "VAULT_ROLE", "MAIL_FROM", "REPLY_DOMAIN"}
    }
    return {
        **kept,
        **here,
        "RELEASE": {"Ref": "Release"},
        **deployed,
        "FILES_BUCKET": {"Ref": "FilesBucket"},
        "ORIGIN_SECRET": secret,
        # Its absence means AWS itself, where addresses of one machine are refused.
        "AWS_SAM_LOCAL": "true",
        **order,
    }


def _routes(template: Template) -> dict[str, Any]:
    """The HTTP API with an integration per function, and a permission and a route for each address."""
    found: dict[str, Any] = {
        _GATEWAY: {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "penguinmails", "ProtocolType": "HTTP"}},
        "ApiStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": _GATEWAY}, "StageName": "$default", "AutoDeploy": True},
        },
    }
    for function in dict.fromkeys(route.function for route in template.routes):
        found[f"{function}Integration"] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": _GATEWAY},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::Sub": f"${{{function}.Alias}}"},
                "PayloadFormatVersion": "2.0",
            },
        }
        found[f"{function}CalledByApi"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": f"{function}.Alias"},
                "Principal": "apigateway.amazonaws.com",
            },
        }
    for number, route in enumerate(template.routes):
        found[f"Route{number}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": _GATEWAY},
                "RouteKey": route.key,
                "Target": {"Fn::Sub": f"integrations/${{{route.function}Integration}}"},
            },
        }
    return found
