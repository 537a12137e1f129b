"""CloudFront, the only way in: what it passes on to the API, and with what."""

import json
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from local.complete_template import functions_of
from local.gateway import spelt_out
from local.template import read_document

ROOT = Path(__file__).resolve().parents[2]
MAIN = read_document(ROOT / "template.yaml")
EDGE = read_document(ROOT / "infrastructure" / "edge.yaml")["Resources"]


def test_every_address_of_the_api_goes_to_it_and_not_to_the_console() -> None:
    config = EDGE["Distribution"]["Properties"]["DistributionConfig"]
    patterns = [b["PathPattern"] for b in config["CacheBehaviors"] if b["TargetOriginId"] == "api"]
    for properties in functions_of(MAIN).values():
        for event in properties.get("Events", {}).values():
            path = event["Properties"].get("Path", "$default") if event["Type"] == "HttpApi" else "$default"
            if path != "$default":
                assert any(fnmatch(path, pattern) or fnmatch(f"{path}/", pattern) for pattern in patterns), path


def _at_the_edge(uri: str) -> dict[str, Any]:
    """What CloudFront asks the API for, by the function that the template gives it."""
    code = EDGE["ApiRequests"]["Properties"]["FunctionCode"]
    event = {"request": {"uri": uri, "headers": {"x-viewer-address": {"value": "me"}}}, "viewer": {"ip": "192.0.2.7"}}
    script = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps(event)})));"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("node") is None, reason="CloudFront's functions are JavaScript, and there is no Node")
@pytest.mark.parametrize("uri", ["/v1/me", "/v1/", "/v1", "/v10/me", "/api/v1/me", "/t/v1/x", "/v1/contacts/a%20b"])
def test_cloudfront_spells_short_addresses_out_as_the_local_gateway_does(uri: str) -> None:
    request = _at_the_edge(uri)

    assert request["uri"] == spelt_out(uri)
    assert request["headers"] == {"x-viewer-address": {"value": "192.0.2.7"}}


def test_every_request_to_the_api_passes_the_function_that_says_who_calls() -> None:
    config = EDGE["Distribution"]["Properties"]["DistributionConfig"]
    behaviours = [b for b in config["CacheBehaviors"] if b["TargetOriginId"] == "api"]

    assert {"/api/*", "/v1/*"} <= {behaviour["PathPattern"] for behaviour in behaviours}
    for behaviour in behaviours:
        (association,) = behaviour["FunctionAssociations"]
        assert association["FunctionARN"] == {"Fn::GetAtt": ["ApiRequests", "FunctionMetadata.FunctionARN"]}
        assert association["EventType"] == "viewer-request"


def test_cloudfront_sends_the_secret_that_the_functions_ask_for() -> None:
    asked = MAIN["Globals"]["Function"]["Environment"]["Variables"]["ORIGIN_SECRET"]
    origins = EDGE["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    sent = {o["Id"]: o.get("OriginCustomHeaders", []) for o in origins}

    assert asked == {"Fn::Sub": "{{resolve:secretsmanager:${OriginSecret}:SecretString}}"}
    assert [header["HeaderName"] for header in sent["api"]] == ["x-origin-secret"]
    assert sent["console"] == []
