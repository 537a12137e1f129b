"""Runs every sample event by `sam local invoke`, then the API by `sam local start-api`: `make check-invoke`.

Starts a stack of its own. The SAM CLI ends with 0 when a handler has raised, so the answers themselves are looked at.
Containers are podman's with an image made here (scripts/container_rig.sh), or a Docker engine's. Without either nothing
is checked, and that is said.
"""

import argparse
import asyncio
import json
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.containers import BUILD, DESKTOP_HOST, TEMPLATE, build, downloaded_layers, lambda_version, prepare
from local.seed import Owner, seed
from local.services.aws import tool_environment
from local.services.process import LOOPBACK, ServiceError, free_ports_in_a_row
from local.stack import DATABASE, SERVICES, Ports, Stack

ROOT = Path(__file__).resolve().parents[1]
RIG = "scripts/container_rig.sh"
_RIG_HOST = "10.88.0.1"
_CANNOT_WORK_HERE = 3
"""What the rig ends with when root or a package is missing."""
_NO_CREDENTIAL = 401
"""Samples hold placeholders where a credential goes."""
_START_SECONDS = 300


def fault_of(expected: dict[str, Any], output: str) -> str | None:
    """What is wrong with the answer of a sample; None when it is as written in events/expectations.json."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        return "no answer: the function timed out or the container did not start"
    answer = json.loads(lines[-1])
    if "errorMessage" in answer:
        return f"raised {answer.get('errorType')}: {answer['errorMessage']}"
    if "status" in expected:
        wanted = expected["status"] if expected.get("caller", "anonymous") == "anonymous" else _NO_CREDENTIAL
        found = answer.get("statusCode")
        return None if found == wanted else f"answered {found}, not {wanted}: {answer.get('body')}"
    if "failed" in expected:
        found = [failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])]
        return None if found == expected["failed"] else f"failed {found}, not {expected['failed']}"
    if "result" in expected:
        return None if answer == expected["result"] else f"answered {answer}, not {expected['result']}"
    if expected.get("job"):
        return None if answer.get("steps", 0) >= 1 else f"answered {answer}, which is not what a job says"
    return f"nothing is known about how {answer} should look; see events/expectations.json"


def logical_id(folder: str) -> str:
    """The function of a folder, as the template names it."""
    return "".join(word.title() for word in folder.split("_")) + "Function"


class Containers:
    """`sam local` with what all of its commands have in common; for built functions and layers that are prepared."""

    def __init__(self, env_file: Path, host: str) -> None:
        """`host` is this machine as the containers reach it."""
        self._layers, self._layer_folder = downloaded_layers(int(time.time()))
        self._options = ["--env-vars", str(env_file), "--skip-pull-image"]
        if host == DESKTOP_HOST:
            self._options = [*self._options[:-1], "--add-host", f"{DESKTOP_HOST}:host-gateway"]

    def invoke(self, sample: str) -> str:
        """What `sam local invoke` printed for a sample of events/."""
        function = logical_id(sample.partition("/")[0])
        template = _of_one_function(function, self._layers)
        command = self._command("invoke", function, "-e", f"events/{sample}", "-t", str(template))
        command += ["--layer-cache-basedir", str(self._layer_folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stderr[-1500:], file=sys.stderr)
        return done.stdout

    @contextmanager
    def api(self, log: Path) -> Generator[str]:
        """The address of a `sam local start-api`, which runs until the end of the block."""
        port = free_ports_in_a_row(1)
        address = f"http://{LOOPBACK}:{port}"
        command = self._command(
            "start-api", "-t", str(TEMPLATE), "--host", LOOPBACK, "--port", str(port), "--warm-containers", "LAZY"
        )
        with log.open("w") as output:
            server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
            try:
                _wait_for(address, server)
                yield address
            finally:
                # It removes its containers on an interrupt only.
                server.send_signal(signal.SIGINT)
                server.wait(_START_SECONDS)

    def _command(self, subcommand: str, *arguments: str) -> list[str]:
        return ["bash", "scripts/sam.sh", "local", subcommand, *arguments, *self._options]


def _of_one_function(function: str, layers: list[str]) -> Path:
    """The template with this function alone: the SAM CLI takes seconds at each call to think about all routes of the API."""
    document = json.loads(TEMPLATE.read_text())
    document["Globals"]["Function"]["Layers"] = layers
    resource = document["Resources"][function]
    resource["Properties"].pop("Events")
    file = BUILD / "one-function.yaml"
    file.write_text(json.dumps({**document, "Resources": {function: resource}}))
    return file


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5)  # noqa: S310 - a loopback address of ours
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise ServiceError("sam local start-api does not answer")


def _ask(method: str, url: str, *, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=content, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or b"null")


def faults_of_the_api(address: str, owner: Owner) -> list[str]:
    """What is wrong with an API that an owner signs in to and works with."""
    steps: list[tuple[str, int, tuple[int, Any]]] = []
    steps.append(("a request without a credential", 401, _ask("GET", f"{address}/api/v1/contacts")))
    person = {"email": owner.email, "password": owner.password}
    signed_in = _ask("POST", f"{address}/api/v1/sessions", body=person)
    steps.append(("signing in", 201, signed_in))
    token = (signed_in[1] or {}).get("access_token", "")
    contact = {"email": f"container-{time.time_ns()}@example.com"}
    made = _ask("POST", f"{address}/api/v1/contacts", body=contact, token=token)
    steps.append(("a new contact", 201, made))
    number = (made[1] or {}).get("id", "none")
    steps.append(("the same contact", 200, _ask("GET", f"{address}/api/v1/contacts/{number}", token=token)))
    return [f"start-api, {what}: answered {a[0]}, not {status}: {a[1]}" for what, status, a in steps if a[0] != status]


def _check(engine: str, *, host: str, only: str) -> int:
    # Short, because the sockets of the servers lie in it and their addresses have a limit.
    directory = Path(tempfile.mkdtemp(prefix="pm-invoke-"))
    stack = Stack(ROOT, Ports(free_ports_in_a_row(len(SERVICES))), durable=False, directory=directory)
    expectations: dict[str, dict[str, Any]] = json.loads((ROOT / "events" / "expectations.json").read_text())
    chosen = {sample: said for sample, said in expectations.items() if sample.startswith(only)}
    try:
        stack.start_services()
        owner = seed(stack.postgres.url(DATABASE, "penguinmails_app"), directory / "owners.json")[-1]
        prepare(stack.environments(), directory / "env.json", host=host)
        containers = Containers(directory / "env.json", host)
        faults = asyncio.run(_faults(stack, containers, chosen, owner))
    finally:
        stack.stop_services()
    print(f"{len(chosen)} samples and start-api tried in containers of {engine}, {len(faults)} answered otherwise")
    if faults:
        print(f"Logs are in {directory}.", file=sys.stderr)
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


async def _faults(stack: Stack, containers: Containers, chosen: dict[str, dict[str, Any]], owner: Owner) -> list[str]:
    await stack.serve()
    try:
        faults: list[str] = []
        for sample, said in chosen.items():
            fault = fault_of(said, await asyncio.to_thread(containers.invoke, sample))
            print(f"{sample}: {fault or 'as expected'}", flush=True)
            faults += [sample] if fault else []
        return faults + await asyncio.to_thread(_faults_of_start_api, containers, owner, stack.state / "start-api.log")
    finally:
        await stack.stop_serving()


def _faults_of_start_api(containers: Containers, owner: Owner, log: Path) -> list[str]:
    with containers.api(log) as address:
        faults = faults_of_the_api(address, owner)
    print("\n".join(faults) or "start-api: signing in, a new contact and its answer are as expected", flush=True)
    return faults


def _docker_works() -> bool:
    """Whether there is a Docker whose containers reach servers on loopback: a desktop's does, the Linux engine's not."""
    if not shutil.which("docker"):
        return False
    command = ["docker", "info", "--format", "{{.OperatingSystem}}"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        return False
    if platform.system() == "Linux" and "Docker Desktop" not in asked.stdout:
        print(
            "docker on Linux is left out: its containers do not reach this machine's servers, which listen on loopback only"
        )
        return False
    return True


def _in_the_rig(arguments: list[str]) -> int | None:
    """Run this check inside the rig; None when the rig cannot work here, which it says itself."""
    up = subprocess.run(["bash", RIG, "up"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if up.returncode == _CANNOT_WORK_HERE:
        return None
    if up.returncode != 0:
        return 1
    try:
        print(
            f"containers of podman: {up.stdout.strip()}; in Lambda it is Python {lambda_version()} on arm64", flush=True
        )
        # What needs the package index comes first: inside there is no way out.
        version = subprocess.run(["bash", RIG, "python"], cwd=ROOT, capture_output=True, text=True, check=True)
        build(version.stdout.strip())
        tool_environment(ROOT)
        command = ["bash", RIG, "run", sys.executable, "-m", "local.check_invoke", "--inside", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    finally:
        subprocess.run(["bash", RIG, "down"], cwd=ROOT, check=False)


def main() -> int:
    """Entry point; 1 with a line for each sample whose answer is another one."""
    parser = argparse.ArgumentParser(prog="make check-invoke")
    parser.add_argument("--only", default="", help="samples whose name begins so, such as contacts/")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        if arguments.inside:
            return _check("podman", host=_RIG_HOST, only=arguments.only)
        done = _in_the_rig(["--only", arguments.only])
        if done is not None:
            return done
        if _docker_works():
            print(f"containers of docker with Lambda's image for {platform.machine()}; in Lambda it runs on arm64")
            build(lambda_version())
            return _check("docker", host=DESKTOP_HOST, only=arguments.only)
    except ServiceError as error:
        print(str(error), file=sys.stderr)
        return 1
    print("not checked: no container engine works here (tried podman and docker); `make invoke` needs none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
