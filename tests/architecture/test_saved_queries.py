"""Saved queries ask for fields that lines really have."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.template import read_document
from me.app import handler as me
from penguinmails.logging import logger
from penguinmails.queue import Record, queue_handler
from penguinmails.schedule import job_handler
from tests.support.http import LambdaContext, call
from tests.support.tenants import TestKey

ROOT = Path(__file__).resolve().parents[2]
OF_CLOUDWATCH = {"@timestamp", "@message", "@logStream", "@log"}
WORDS = {
    "and", "as", "asc", "avg", "by", "count", "desc", "display", "fields", "filter", "ispresent", "latest", "like", "max",
    "or", "parse", "pct", "sort", "stats",
}  # fmt: skip
# Fields of lines that are not easily written here, each as the code spells it.
ELSEWHERE = {
    "delivery_id": "functions/dispatch_webhooks/spans.py",
    "attempt": "functions/dispatch_webhooks/spans.py",
    "status_code": "functions/dispatch_webhooks/spans.py",
    "error": "functions/dispatch_webhooks/spans.py",
    "source_ip": "layers/common/python/penguinmails/auth/api_keys.py",
    "reason": "layers/common/python/penguinmails/auth/api_keys.py",
}
QUERIES = {
    name: resource["Properties"]
    for name, resource in read_document(ROOT / "infrastructure" / "dashboards.yaml")["Resources"].items()
    if resource["Type"] == "AWS::Logs::QueryDefinition"
}


@pytest.fixture
def written(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a request, a linked one, a message and a job that fails write."""
    output = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", output)

    def fail(_record: Record) -> None:
        raise LookupError

    def fail_too() -> int:
        raise LookupError

    call(me, "GET", "/api/v1/me", token=key.plaintext, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    body = {"tenant_id": "6a86f1df-c983-42a5-bb0c-e8d47faf37ae", "mode": "test", "email_id": "1"}
    record = {"messageId": "1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    queue_handler(fail)({"Records": [record]}, LambdaContext())
    with pytest.raises(LookupError):
        job_handler("sweep_something", fail_too)({}, LambdaContext())
    return [json.loads(line) for line in output.getvalue().splitlines()]


def asked_for(query: str) -> set[str]:
    """The fields that a query reads: neither its words nor what it names itself."""
    bare = re.sub(r"\"[^\"]*\"|/(?:[^/\\\n]|\\.)*/(?=\s|$)", " ", query)
    own = set(re.findall(r"\bas (\w+)", bare)) | set(re.findall(r"\?<(\w+)>", query))
    return set(re.findall(r"@?[A-Za-z_]\w*", bare)) - WORDS - own


@pytest.mark.parametrize(
    "name", [name for name, query in QUERIES.items() if query["LogGroupNames"] == [{"Ref": "FunctionLogs"}]]
)
def test_a_query_reads_fields_that_functions_write(name: str, written: list[dict[str, Any]]) -> None:
    known = {field for line in written for field in line} | OF_CLOUDWATCH
    for field, file in ELSEWHERE.items():
        assert re.search(rf'"{field}":|\b{field}=', (ROOT / file).read_text())
    known |= ELSEWHERE.keys()

    assert asked_for(QUERIES[name]["QueryString"]) <= known


def test_a_query_of_the_gateway_s_log_reads_fields_of_its_format() -> None:
    api = read_document(ROOT / "template.yaml")["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]
    fields = set(re.findall(r'"(\w+)":', api))

    for query in QUERIES.values():
        if query["LogGroupNames"] == [{"Ref": "AccessLogs"}]:
            assert asked_for(query["QueryString"]) <= fields


def test_what_is_no_field_is_noticed() -> None:
    assert asked_for('filter message = "job done" and nothing_like_it > 3 | stats count() as times by route') == {
        "message", "nothing_like_it", "route",
    }  # fmt: skip
