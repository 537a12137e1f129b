"""The guide for receivers is true: its programs run, and take what the dispatcher posts."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from penguinmails.domain.webhook_filters import OPERATORS, compile_filter, view_of
from penguinmails.domain.webhook_signature import new_secret, signature_headers
from penguinmails.events.catalogue import EVENT_TYPES
from penguinmails.events.payloads import payload_schema, sample_payload
from tests.support.hooks import deliveries, hook, raise_event, work_off
from tests.support.http import call
from tests.support.operations import handler_of
from tests.support.receiver import Receiver
from tests.support.sources import ROOT
from tests.support.tenants import TestKey, TestTenant

GUIDE = (ROOT / "docs" / "webhooks.md").read_text()


def programs() -> dict[str, str]:
    """The programs of the guide by file name."""
    return {m[1]: m[2] for m in re.finditer(r"```\w+ (\S+\.\w+)\n(.*?)```", GUIDE, re.DOTALL)}


def interpreter(name: str) -> str:
    if name.endswith(".py"):
        return sys.executable
    node = shutil.which("node")
    assert node is not None, "the guide's Node program needs Node.js on the PATH"
    return node


@dataclass
class Program:
    """A receiver of the guide as a process."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/hooks", body, {"Content-Type": "application/json", **headers})
        status = connection.getresponse().status
        connection.close()
        return status

    def said(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> str:
        """What it printed and nobody has read."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]


def started(name: str, secret: str, folder: Path) -> Program:
    file = folder / name
    file.write_text(programs()[name])
    process = subprocess.Popen(
        [interpreter(name), str(file)],
        env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    program = Program(process, 0)
    program.port = int(program.said().rpartition(" ")[2])
    return program


@pytest.fixture(params=["receiver.py", "receiver.mjs"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Program, str]]:
    secret = new_secret()
    program = started(request.param, secret, tmp_path)
    yield program, secret
    if program.process.poll() is None:
        program.stop()


BODY = json.dumps(sample_payload("contact.created")).encode()
EVENT_ID = sample_payload("contact.created")["id"]


def signed(secret: str, body: bytes = BODY, *, age: int = 0) -> dict[str, str]:
    return signature_headers([secret], event_id=EVENT_ID, timestamp=int(time.time()) - age, body=body)


def test_a_receiver_of_the_guide_handles_an_event_once(receiver: tuple[Program, str]) -> None:
    program, secret = receiver

    assert [program.post(BODY, signed(secret)) for _ in range(3)] == [204, 204, 204]

    assert program.said() == f"handled contact.created {EVENT_ID}"
    assert program.stop() == ""


def test_a_receiver_of_the_guide_refuses_what_is_not_ours(receiver: tuple[Program, str]) -> None:
    program, secret = receiver

    assert program.post(BODY.replace(b"Ada", b"Eve"), signed(secret)) == 401
    assert program.post(BODY, signed(new_secret())) == 401
    assert program.post(BODY, signed(secret, age=301)) == 401
    assert program.post(BODY, {}) == 401
    assert program.stop() == ""


def test_a_receiver_of_the_guide_takes_either_of_two_signatures(receiver: tuple[Program, str]) -> None:
    program, secret = receiver
    headers = signed(secret)
    other = signed(new_secret())["webhook-signature"]

    assert program.post(BODY, {**headers, "webhook-signature": f"{other} {headers['webhook-signature']}"}) == 204


def test_a_receiver_of_the_guide_takes_what_the_dispatcher_posts(
    tenant: TestTenant, key: TestKey, tmp_path: Path
) -> None:
    plain = Receiver()
    try:
        made = hook(key, plain)
        raise_event(tenant)
        work_off(tenant)
        (post,) = plain.posts
    finally:
        plain.stop()
    headers = {name: value for name, value in post.headers.items() if name.startswith(("webhook-", "x-penguinmails-"))}

    for name in ("receiver.py", "receiver.mjs"):
        program = started(name, made.secret, tmp_path)
        assert program.post(post.body, headers) == 204
        program.stop()


class Gateway(BaseHTTPRequestHandler):
    """The API over HTTP, as the guide's programs call it."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        answer = call(
            handler_of(self.command, parts.path),
            self.command,
            parts.path,
            query=dict(parse_qsl(parts.query)),
            token=self.headers["Authorization"].removeprefix("Bearer "),
        )
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - names that the base class looks for

    def log_message(self, format: str, *args: object) -> None:
        pass


def run_against_the_api(file: Path, environment: dict[str, str]) -> str:
    """What a program prints, its requests being answered in this thread, where handlers run."""
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        server.timeout = 0.1
        environment = {**environment, "API": f"http://127.0.0.1:{server.server_port}", "PATH": os.environ["PATH"]}
        process = subprocess.Popen([sys.executable, str(file)], env=environment, stdout=subprocess.PIPE, text=True)
        while process.poll() is None:
            server.handle_request()
    printed = process.communicate()[0]
    assert process.returncode == 0, printed
    return printed


def test_the_guide_s_reconciliation_names_what_failed_and_sends_it_again(
    tenant: TestTenant, key: TestKey, tmp_path: Path
) -> None:
    plain = Receiver()
    try:
        made = hook(key, plain, retry_enabled=False)
        plain.answers.append((500, {}))
        raise_event(tenant)
        work_off(tenant)
    finally:
        plain.stop()
    file = tmp_path / "reconcile.py"
    file.write_text(programs()["reconcile.py"])

    printed = run_against_the_api(file, {"API_KEY": key.plaintext, "WEBHOOK_ID": made.id})

    assert "0 of 1 arrived, 0 are on their way" in printed
    assert "failed: It was given up after one try. The last answer was: HTTP 500." in printed
    assert "sent again: 1" in printed
    assert deliveries(tenant)[0]["status"] == "queued"


def test_the_guide_s_example_is_the_catalogue_s() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    example = json.loads(text)

    jsonschema.validate(example, payload_schema(EVENT_TYPES["contact.created"]))
    assert example == sample_payload("contact.created")


def test_the_guide_s_filter_takes_what_it_says() -> None:
    (text,) = re.findall(r"```json filter\n(.*?)```", GUIDE, re.DOTALL)
    wanted = compile_filter(json.loads(text))
    data = sample_payload("contact.created")["data"]

    assert wanted.matches(view_of("contact.created", None, data, ["vip"]))
    assert wanted.refusing_clause(view_of("contact.created", None, data, [])) == "tags"
    assert not wanted.matches(view_of("contact.created", None, {**data, "source": "form"}, ["vip"]))
    assert all(f"`{operator}`" in GUIDE for operator in OPERATORS)
